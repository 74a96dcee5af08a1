"""Attacks on time, memory, disk and whoever reads the output.

`$BULK` says how much: enough to hurt in a sandbox, where it never comes to it, and little in the
control, which runs unconfined.
"""

from tests.hostile.attack import attacks

__all__ = ["ATTACKS"]

_SLOW = attacks(
    {
        "spin": "while True: pass",
        "spin, deaf to signals": """
for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
while True: pass""",
        "spin in threads": """
def spin():
    while True: pass
for _ in range(4): threading.Thread(target=spin).start()""",
        "500 threads": """
threading.stack_size(1 << 16)
for _ in range(500): threading.Thread(target=time.sleep, args=(600,)).start()""",
        "a huge power": "9**9**9",
        "a slow expression": "import re; re.match('(a+)+$$', 'a' * 40 + 'b')",
        "sleep": "time.sleep(600)",
        "sleep, output closed": "os.close(1); os.close(2); time.sleep(600)",
        "sleep at exit": "import atexit; atexit.register(time.sleep, 600)",
        "wait for a thread": "threading.Thread(target=time.sleep, args=(600,)).start()",
        "wait for input": "sys.stdin.read(); time.sleep(600)",
    },
    seconds=0.5,
)

_BIG = attacks(
    {
        "3 GB of memory": "tries(lambda: got(len(bytearray($BULK * 3 << 19))))",
        "3 GB by mapping": "import mmap; tries(lambda: got(len(mmap.mmap(-1, 3 << 30))))",
        "3 GB by mapping a file": """
import mmap
def take():
    with open("big", "wb") as file: file.truncate(3 << 30)
    got(len(mmap.mmap(os.open("big", os.O_RDWR), 3 << 30)))
tries(take)""",
        "2 GB in memory files": """
def take():
    handle = os.memfd_create("x"); os.ftruncate(handle, 2 << 30); got(handle)
tries(take)""",
        "8 children with 300 MB": """
for _ in range(8):
    if os.fork() == 0: x = bytearray($BULK * 3 << 16); got(len(x)); os._exit(0)
for _ in range(8): os.wait()""",
        "a 400 MB file": """
tries(lambda: open("big", "wb").truncate(400 << 20),
      lambda: os.stat("big").st_size >> 28 and got())""",
        "400 MB reserved": """
def take():
    for number in range(1 + $BULK // 70):
        os.posix_fallocate(os.open(str(number), os.O_RDWR | os.O_CREAT), 0, 1 << 24)
    got("reserved")
tries(take)""",
        "many files": """
written = 0
while written < $BULK << 20:
    with open(str(written), "wb") as file: written += file.write(bytes(8 << 20))
got(written)""",
        "many names": """
for number in range($BULK << 6):
    os.mkdir(str(number))
got(number)""",
        "much output": """
for _ in range($BULK): sys.stdout.write(("x" * 63 + "\\n") * (1 << 14))""",
        "much output on stderr": """
for _ in range($BULK): sys.stderr.write("x" * (1 << 20))""",
        "one huge line": "for _ in range($BULK): print('é' * (1 << 20), end='')",
        "5,000 descriptors": """
import resource
tries(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (6000, 6000)))
held = []
try:
    for _ in range(5000): held.append(os.dup(0))
except OSError: pass
if len(held) > 200: got(len(held))""",
    },
    seconds=20,
)
ATTACKS = (*_SLOW, *_BIG)
