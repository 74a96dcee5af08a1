"""Attacks that talk to somebody; the receivers outside say whether they heard anything."""

from tests.hostile.attack import attacks

__all__ = ["ATTACKS"]

ATTACKS = attacks(
    {
        "TCP to loopback": """
tries(lambda: socket.create_connection(("127.0.0.1", $TCP), 2).send(b"x"))""",
        "HTTP to a local model server": """
from urllib.request import urlopen
tries(lambda: urlopen("http://127.0.0.1:$TCP/v1/models", timeout=0.3))""",
        "TCP to the local network": """
tries(lambda: socket.create_connection(("$LAN", $TCP), 2).send(b"x"))""",
        "TCP fast open": """
tries(lambda: socket.socket().sendto(b"x", 0x20000000, ("127.0.0.1", $TCP)))""",
        "UDP": """
tries(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", $UDP)))
""",
        "UDP by sendmsg": """
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
tries(lambda: s.sendmsg([b"x"], [], 0, ("127.0.0.1", $UDP)))""",
        "a name looked up": """
query = struct.pack(">6H", 7, 256, 1, 0, 0, 0) + b"\\x06secret\\x07example\\x00" + b"\\0\\1\\0\\1"
tries(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(query, ("$LAN", $UDP)))""",
        "bind and listen": """
def listen():
    s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(); got(s.getsockname())
tries(listen)""",
        "unix socket by path": """
s = socket.socket(socket.AF_UNIX)
tries(lambda: s.connect("$UNIX"), lambda: s.send(b"x"))""",
        "unix datagram by path": """
tries(lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"x", "$UNIXGRAM"))""",
        "unix datagram from a pair": """
left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
tries(lambda: left.sendto(b"x", "$UNIXGRAM"))""",
        "abstract unix socket": """
s = socket.socket(socket.AF_UNIX)
tries(lambda: s.connect(chr(0) + "$ABSTRACT"), lambda: s.send(b"x"))""",
        "netlink": """
def ask():
    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    s.bind((0, 0)); s.send(struct.pack("=IHHIIBxxx", 20, 18, 0x301, 1, 0, 0))
    got(len(s.recv(99999)))
tries(ask)""",
        "packets": """
tries(lambda: got(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3)))""",
        "raw IP": """
tries(lambda: got(socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)))""",
    },
    as_root=("packets", "raw IP"),
)
