// SPDX-License-Identifier: MIT
// The events found do not depend on how the bytes were cut, and hold no more than came.
#include "engine/remote/eventreader.h"

#include <cstdint>
#include <cstdlib>

using isol8::remote::EventReader;

namespace {

struct Found {
    QList<QByteArray> events;
    bool isRefused = false;

    bool operator==(const Found&) const = default;
};

Found found(const QByteArray& bytes, qsizetype pieceBytes)
{
    EventReader reader;
    Found found;
    for (qsizetype at = 0; at < bytes.size() && !found.isRefused; at += pieceBytes) {
        const auto events = reader.feed(bytes.mid(at, pieceBytes));
        found.isRefused = !events;
        if (events)
            found.events += *events;
    }
    return found;
}

} // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***)
{
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const QByteArray bytes(reinterpret_cast<const char*>(data), static_cast<qsizetype>(size));
    const Found whole = found(bytes, bytes.size() + 1);
    qsizetype eventBytes = 0;
    for (const auto& event : whole.events)
        eventBytes += event.size();
    if (eventBytes > bytes.size())
        std::abort();
    for (const qsizetype pieceBytes : { 1, 2, 3, 7, 64 }) {
        if (found(bytes, pieceBytes) != whole)
            std::abort();
    }
    return 0;
}
