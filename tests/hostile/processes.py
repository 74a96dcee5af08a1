"""Attacks that start something, or lay hands on what already runs."""

from tests.hostile.attack import attacks

__all__ = ["ATTACKS"]

ATTACKS = attacks(
    {
        "a shell": """
tries(lambda: os.system('echo $NEKOT | rev'), lambda: os.system('true') or got())""",
        "a subprocess": """
import subprocess
tries(lambda: subprocess.run(["/bin/true"]).returncode or got())""",
        "posix_spawn": "tries(lambda: got(os.posix_spawn('/bin/true', ['true'], {})))",
        "another program in place": """
tries(lambda: os.execv(sys.executable, [sys.executable, "-c", "print('$NEKOT'[::-1])"]))
for shell in ("/bin/sh", "/usr/bin/sh"):
    tries(lambda: os.execv(shell, ["sh", "-c", "touch $PLANT"]))""",
        "multiprocessing": """
import multiprocessing
def run():
    child = multiprocessing.get_context("fork").Process(target=got); child.start(); child.join()
tries(run)""",
        "fork": """
def fork():
    if os.fork() == 0: got("child"); os._exit(0)
    os.wait()
tries(fork)""",
        "fork by clone3": """
arguments = ctypes.create_string_buffer(struct.pack("11Q", 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0), 88)
if libc.syscall(435, arguments, 88) == 0: got("child"); os._exit(0)
time.sleep(0.2)""",
        "200 forks": """
for number in range(200):
    try: child = os.fork()
    except OSError: continue
    if child == 0: time.sleep(3); os._exit(0)
    if number == 100: got(number)""",
        "a daemon": """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0: time.sleep(30)
    os._exit(0)""",
        "signal others": """
for who in (os.getppid(), $HOST, $VICTIM):
    tries(lambda: os.kill(who, signal.SIGUSR1))
tries(lambda: os.killpg(os.getpgid($VICTIM), signal.SIGUSR1))""",
        "signal others by descriptor": """
tries(lambda: signal.pidfd_send_signal(os.pidfd_open($VICTIM), signal.SIGUSR1))""",
        "signal by a pipe's owner": """
import fcntl
def arm():
    left, right = os.pipe()
    fcntl.fcntl(left, 8, $VICTIM); fcntl.fcntl(left, 10, signal.SIGUSR1)
    fcntl.fcntl(left, fcntl.F_SETFL, os.O_ASYNC); os.write(right, b"x"); time.sleep(0.2)
tries(arm)""",
        "trace another": """
libc.ptrace.argtypes = [ctypes.c_long] * 4
if libc.ptrace(0x4206, $VICTIM, 0, 0) == 0: got("seized"); libc.ptrace(17, $VICTIM, 0, 0)""",
        "read another's memory": """
class Part(ctypes.Structure): _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]
mine = ctypes.create_string_buffer(64)
here, there = Part(ctypes.addressof(mine), 64), Part($ADDRESS, 64)
tries(lambda: syscall(310, 270, $VICTIM, ctypes.byref(here), 1, ctypes.byref(there), 1, 0))
print(mine.value)
def by_proc():
    with open("/proc/$VICTIM/mem", "rb", 0) as file: file.seek($ADDRESS); print(file.read(64))
tries(by_proc)""",
        "steal another's descriptor": """
def steal():
    handle = os.pidfd_open($VICTIM)
    print(os.pread(syscall(438, 438, handle, $VICTIMKEY, 0), 99, 0))
tries(steal)""",
        "change another's priority": """
tries(lambda: os.setpriority(os.PRIO_PROCESS, $VICTIM, 19) or got())""",
        "change another's limits": """
import resource
tries(lambda: got(resource.prlimit($VICTIM, resource.RLIMIT_CORE, (0, 0))))""",
        "raise its own limits": """
import resource
tries(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 40, 1 << 40)) or got())""",
        "process existence": """
tries(lambda: got(os.getpgid($VICTIM)), lambda: got(os.sched_getaffinity($VICTIM)),
      lambda: os.kill($VICTIM, 0) or got())""",
        "type into a terminal": """
import fcntl
def push(terminal):
    fcntl.ioctl(os.open(terminal, os.O_RDWR | os.O_NOCTTY), 0x5412, b"x"); got(terminal)
tries(lambda: push("$TTY"), lambda: push("/dev/tty"))""",
        "open a terminal of its own": "tries(lambda: got(os.openpty()))",
    },
    as_root=("type into a terminal",),
)
