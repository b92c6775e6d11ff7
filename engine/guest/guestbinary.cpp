// SPDX-License-Identifier: MIT
#include "engine/guest/guestbinary.h"

#include "guestfile.h"

asm(".section .rodata\n"
    ".balign 16\n"
    ".global isol8GuestBegin\n"
    ".global isol8GuestEnd\n"
    "isol8GuestBegin:\n"
    ".incbin \"" ISOL8_GUEST_FILE "\"\n"
    "isol8GuestEnd:\n"
    ".byte 0\n"
    ".previous\n");

extern "C" const char isol8GuestBegin[];
extern "C" const char isol8GuestEnd[];

namespace isol8 {

using namespace Qt::StringLiterals;

QByteArray guestBinary()
{
    return QByteArray::fromRawData(isol8GuestBegin, isol8GuestEnd - isol8GuestBegin);
}

QString guestHash()
{
    return QStringLiteral(ISOL8_GUEST_HASH);
}

} // namespace isol8
