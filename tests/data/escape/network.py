# NET-01: no interface but loopback, so every other address is out of reach at once.
import socket

interfaces = [line.split(":")[0].strip() for line in read("/proc/net/dev").decode().splitlines()[2:]]
say("interfaces", interfaces == ["lo"], interfaces)
if interfaces == ["lo"]:
    for address, port in (("192.0.2.1", 80), ("169.254.169.254", 80), ("172.17.0.1", 80)):
        refused("TCP " + address, lambda: socket.create_connection((address, port), 5), (errno.ENETUNREACH,))
        refused("UDP " + address, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", (address, port)), (errno.ENETUNREACH,))
    refused("TCP over IPv6", lambda: socket.create_connection(("2001:db8::1", 443), 5), (errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT))
refused("name resolution", lambda: socket.getaddrinfo("name.example", 80))
