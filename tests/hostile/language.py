"""Attacks by way of the language: what keeps other sandboxes in is nothing that we rely on."""

from tests.hostile.attack import attacks

__all__ = ["ATTACKS"]

ATTACKS = attacks(
    {
        "subclasses": """
for kind in ().__class__.__base__.__subclasses__():
    if kind.__name__ == "_wrap_close":
        tries(lambda: print(kind.__init__.__globals__["popen"]("cat '$KEY'").read()))
        tries(lambda: print(kind.__init__.__globals__["open"]("$KEY", 0)))
        tries(lambda: print(kind.__init__.__globals__["read"](
            kind.__init__.__globals__["open"]("$KEY", 0), 99)))""",
        "frames": """
def frames():
    frame = sys._getframe()
    while frame: yield frame; frame = frame.f_back
for frame in frames():
    for space in (frame.f_globals, frame.f_builtins):
        for name in ("open", "io_open"):
            if name in space: tries(lambda: print(space[name]("$KEY").read()))""",
        "frames of a traceback": """
try: 1 / 0
except ZeroDivisionError as error: frame = error.__traceback__.tb_frame
while frame.f_back: frame = frame.f_back
tries(lambda: print(frame.f_builtins["open"]("$KEY").read()))""",
        "posix": """
import posix
tries(lambda: print(posix.read(posix.open("$KEY", 0), 99)))""",
        "the C library": """
buffer = ctypes.create_string_buffer(99)
libc.read(libc.open(b"$KEY", 0), buffer, 98); print(buffer.value)
tries(lambda: libc.system(b"cat '$KEY'"))""",
        "format strings": """
class Word:
    def __init__(self): pass
print("{0.__init__.__globals__[os].environ}".format(Word()))""",
        "a library of its own": """
import _ctypes
tries(lambda: print(ctypes.PyDLL(None).PyRun_SimpleString(b"print(open('$KEY').read())")))""",
        "terminal escapes": r"print('\x1b]52;c;aGVsbG8=\x07\x1b[2J\x1b[31m\x9b31m')",
        "terminal escapes in an error": r"raise ValueError('\x1b]0;title\x07')",
        "terminal escapes in a name": r"raise type('\x1b[31mRed', (Exception,), {})",
        "right to left": r"print('\u202etxt.exe\u2066')",
        "invalid UTF-8": r"os.write(1, b'\xff\xfe\x80 \xed\xa0\x80'); os.write(2, b'\xc3')",
        "a report of its own": r"""
for number in range(3, 64):
    tries(lambda: os.write(
        number, b'{"stage": "error", "error": "\\u001b[31m", "kind": "\\u0007"}'))
os.write(1, b"\x1b[0m")
os._exit(0)""",
    },
)
