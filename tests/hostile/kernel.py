"""Attacks on the kernel: calls that no program which only computes has to make."""

from tests.hostile.attack import attacks

__all__ = ["ATTACKS"]

MACHINE_CODE = """
import mmap
def run(code, protections=(3, 5)):
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int,
                          ctypes.c_int, ctypes.c_long]
    libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    page = libc.mmap(None, 4096, protections[0], 0x22, -1, 0)
    if page in (None, ctypes.c_void_p(-1).value): raise OSError("mmap")
    ctypes.memmove(page, code, len(code))
    if libc.mprotect(page, 4096, protections[1]): raise OSError("mprotect")
    return ctypes.CFUNCTYPE(ctypes.c_long)(page)()
def run_file(code):
    with open("code", "wb") as file: file.write(code.ljust(4096, b"\\x90"))
    libc.mmap.restype = ctypes.c_void_p
    page = libc.mmap(None, 4096, 5, 2, os.open("code", os.O_RDONLY), 0)
    return ctypes.CFUNCTYPE(ctypes.c_long)(page)()
x86 = platform.machine() == "x86_64"
"""

ATTACKS = attacks(
    {
        "namespaces": """
tries(lambda: got(syscall(272, 97, 0x20000)), lambda: got(syscall(272, 97, 0x10000000)))""",
        "mount": """
def mount():
    syscall(272, 97, 0x20000)
    if libc.mount(b"none", b"/", None, 0x44000, None): return
    if libc.mount(b"none", b".", b"tmpfs", 0, None) == 0: got("mounted")
tries(mount)""",
        "chroot": "tries(lambda: os.chroot('.') or got())",
        "bpf": """
attributes = ctypes.create_string_buffer(struct.pack("4I", 2, 4, 4, 1), 16)
tries(lambda: got(syscall(321, 280, 0, attributes, 16)))""",
        "perf": """
attributes = ctypes.create_string_buffer(struct.pack("IIQ", 1, 64, 0), 64)
tries(lambda: got(syscall(298, 241, attributes, 0, -1, -1, 0)))""",
        "userfaultfd": "tries(lambda: got(syscall(323, 282, 0)))",
        "io_uring": """
tries(lambda: got(syscall(425, 425, 8, ctypes.create_string_buffer(120))))""",
        "keyrings": """
tries(lambda: got(syscall(250, 219, 0, ctypes.c_long(-2), ctypes.c_long(1))))""",
        "shared memory": """
def share():
    handle = libc.shmget(0, 4096, 0o1600)
    if handle >= 0: libc.shmctl(handle, 0, None); got(handle)
tries(share)""",
        "message queues": """
def queue():
    handle = libc.msgget(0, 0o1600)
    if handle >= 0: libc.msgctl(handle, 0, None); got(handle)
tries(queue)""",
        "the 32-bit table": MACHINE_CODE
        + """
if x86: tries(lambda: run(bytes.fromhex("b814000000cd80c3")) == os.getpid() and got())
else: print("no such call")""",
        "writable code": MACHINE_CODE
        + """
code = bytes.fromhex("b82a000000c3" if x86 else "40058052c0035fd6")
tries(lambda: run(code, (7, 7)) == 42 and got())""",
        "machine code": MACHINE_CODE
        + """
code = bytes.fromhex("b82a000000c3" if x86 else "40058052c0035fd6")
tries(lambda: run(code) == 42 and got(), lambda: run_file(code) == 42 and got())""",
        "a program in memory": """
def run():
    handle = os.memfd_create("x"); os.write(handle, open(sys.executable, "rb").read())
    os.execve(handle, ["python", "-c", "print('$NEKOT'[::-1])"], {})
tries(lambda: got(os.memfd_create("x")), run)""",
        "rewrite its own constants": """
victim = b"constant" * 4
def write():
    with open("/proc/self/mem", "r+b", 0) as memory:
        memory.seek(id(victim) + bytes.__basicsize__ - 1); memory.write(b"changed!")
tries(write, lambda: victim.startswith(b"changed!") and got())""",
        "kernel settings": """
for name in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/sys/kernel/uevent_helper"):
    tries(lambda: got(os.open(name, os.O_WRONLY)))""",
    },
    as_root=(
        "namespaces",
        "mount",
        "chroot",
        "bpf",
        "perf",
        "userfaultfd",
        "io_uring",
        "kernel settings",
    ),
)
