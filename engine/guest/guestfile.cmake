# SPDX-License-Identifier: MIT
# Writes the header that tells guestbinary.cpp where the guest is and what it hashes to.
file(SHA256 ${GUEST} hash)
string(SUBSTRING ${hash} 0 16 hash)
file(WRITE ${HEADER} "#define ISOL8_GUEST_FILE \"${GUEST}\"\n#define ISOL8_GUEST_HASH \"${hash}\"\n")
