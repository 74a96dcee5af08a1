"""Attacks on what lies in the file system."""

from tests.hostile.attack import attacks

__all__ = ["ATTACKS"]

ATTACKS = attacks(
    {
        "read a key": "tries(lambda: print(open('$KEY').read()))",
        "read by dots": """
tries(lambda: print(open(os.path.join(os.getcwd(), *[".."] * 20, "$KEY"[1:])).read()))""",
        "read by directory descriptor": """
def read():
    top = os.open("/", os.O_RDONLY)
    print(os.read(os.open("$KEY"[1:], os.O_RDONLY, dir_fd=top), 99))
tries(read)""",
        "read by changing directory": """
def read():
    os.chdir(os.path.dirname("$KEY")); print(open("id_rsa").read())
tries(read)""",
        "read by symbolic link": """
tries(lambda: os.symlink("$KEY", "link"), lambda: print(open("link").read()))""",
        "read by hard link": """
tries(lambda: os.link("$KEY", "hard"), lambda: print(open("hard").read()))""",
        "read by renaming": """
tries(lambda: os.rename("$KEY", "mine"), lambda: print(open("mine").read()))""",
        "read through /proc": """
for who in ("1", "self", str(os.getppid()), "$HOST", "$VICTIM"):
    tries(lambda: print(open(f"/proc/{who}/root$KEY").read()))""",
        "read by file handle": """
handle = ctypes.create_string_buffer(struct.pack("Ii", 128, 0) + bytes(128), 136)
mount = ctypes.c_int()
def read():
    syscall(303, 264, -100, b"$KEY", handle, ctypes.byref(mount), 0)
    folder = os.open(os.path.dirname("$KEY"), os.O_RDONLY)
    print(os.read(syscall(304, 265, folder, handle, 0), 99))
tries(read)""",
        "read the environment": """
print(dict(os.environ)); tries(lambda: print(open("/proc/self/environ").read()))""",
        "read others' environment": """
for who in (os.getppid(), $HOST, $VICTIM, 1):
    tries(lambda: print(open(f"/proc/{who}/environ", "rb").read()))""",
        "read a leaked descriptor": """
for number in range(3, 256):
    try: print(os.pread(number, 99, 0))
    except OSError: pass""",
        "read /etc/passwd": "tries(lambda: print(open('/etc/passwd').read()))",
        "list the home directory": """
tries(lambda: print(os.listdir("$HOME")), lambda: print([e.name for e in os.scandir("$HOME")]),
      lambda: print(list(os.walk("$HOME"))))""",
        "watch the home directory": """
def watch():
    handle = libc.inotify_init()
    if handle >= 0 and libc.inotify_add_watch(handle, b"$HOME", 0xfff) >= 0: got("watching")
tries(watch)""",
        "file metadata": """
tries(lambda: got(os.stat("$KEY").st_size), lambda: os.access("$KEY", 0) and got("access"))""",
        "overwrite a key": "tries(lambda: open('$KEY', 'w').write('x'))",
        "append to a key": "tries(lambda: open('$KEY', 'a').write('x'))",
        "truncate a key": "tries(lambda: os.truncate('$KEY', 0))",
        "delete a key": "tries(lambda: os.unlink('$KEY'))",
        "delete the home directory": "import shutil; shutil.rmtree('$HOME', ignore_errors=True)",
        "change a key's mode": "tries(lambda: os.chmod('$KEY', 0o777))",
        "change a key's times": "tries(lambda: os.utime('$KEY', (1, 1)))",
        "write at home": """
tries(lambda: open("$HOME/planted", "w"), lambda: os.mkdir("$HOME/dir"),
      lambda: os.symlink("/", "$HOME/link"), lambda: os.rename("x", "$HOME/x"))""",
        "plant usercustomize": """
place = f"$HOME/.local/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
tries(lambda: os.makedirs(place), lambda: open(f"{place}/usercustomize.py", "w"))""",
        "plant a module": """
for place in sys.path:
    try: open(f"{place or '.'}/planted.py", "w").close()
    except OSError: continue
    got(place); os.unlink(f"{place or '.'}/planted.py"); break""",
        "write in the host's /tmp": "tries(lambda: open('$PLANT', 'w').write('x'))",
        "write in /dev/shm": "tries(lambda: open('$SHM', 'w').write('x'))",
        "make a device": """
tries(lambda: os.mknod("device", stat.S_IFCHR | 0o600, os.makedev(1, 1)) or got("device"))""",
    },
    as_root=("read by file handle", "make a device"),
)
