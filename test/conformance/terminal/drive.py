"""Runs a program on a pseudo-terminal and types a script at it (scripts.ts): `drive.py PROGRAM SCRIPT.json`; prints all that appears."""
import fcntl
import json
import os
import pty
import struct
import sys
import termios

program, script = sys.argv[1], json.loads(sys.argv[2])
IUTF8 = 0o40000
master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
settings = termios.tcgetattr(slave)
settings[0] |= IUTF8
termios.tcsetattr(slave, termios.TCSANOW, settings)
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for descriptor in range(3):
        os.dup2(slave, descriptor)
    os.closerange(3, 256)
    os.execve(program, [program], {})
os.close(slave)
seen, given = b"", 0
while True:
    try:
        more = os.read(master, 65536)
    except OSError:
        break
    seen += more
    while given < len(script) and b"<%d>" % (given + 1) in seen:
        chunk = script[given]
        given += 1
        if isinstance(chunk, str):
            os.write(master, chunk.encode("latin1"))
        else:
            fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", *chunk, 0, 0))
_, status = os.waitpid(pid, 0)
sys.stdout.buffer.write(seen + b"status %d\n" % os.waitstatus_to_exitcode(status))
