# What looks like frames of the guest, or of Docker, is output and nothing else.
FRAMES = (b"\x1a\0\0\0\x01\0\0\0\x30\0\0\0" + b"\0" * 48, b"\x02\0\0\0\0\0\0\x04EXIT", b"\x01\0\0\0\0\0\0\x02hi", b"\0" * 64, b"\xff" * 64,
          b"ISOL8\0\x01\0" * 8)
for frame in FRAMES:
    os.write(1, frame + b"\n")
    os.write(2, frame + b"\n")
say("wrote them", True)
