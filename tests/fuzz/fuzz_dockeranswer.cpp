// SPDX-License-Identifier: MIT
// Docker, or who sits at its socket, answers with arbitrary bytes. The first byte says what was
// asked. Streams are read alike however they were cut, and give out no more than came.
#include "engine/docker/answersjson.h"
#include "engine/docker/eventreader.h"
#include "engine/docker/progress.h"
#include "engine/docker/streamdemux.h"

#include <cstdint>
#include <cstdlib>

using namespace isol8;
using namespace isol8::docker;

namespace {

void require(bool condition)
{
    if (!condition)
        std::abort();
}

struct Attached {
    QByteArray output;
    QByteArray errorOutput;
    bool isRefused = false;
    bool isAtFrameEnd = false;

    bool operator==(const Attached&) const = default;
};

Attached attached(const QByteArray& bytes, qsizetype pieceBytes)
{
    StreamDemux demux;
    Attached found;
    for (qsizetype at = 0; at < bytes.size(); at += pieceBytes) {
        QByteArrayView input
            = QByteArrayView(bytes).mid(at, std::min(pieceBytes, bytes.size() - at));
        for (;;) {
            const auto piece = demux.next(input);
            if (!piece) {
                found.isRefused = true;
                return found;
            }
            if (!*piece)
                break;
            ((*piece)->stream == StreamDemux::Stream::Stdout ? found.output : found.errorOutput)
                .append((*piece)->bytes);
        }
        require(input.isEmpty());
    }
    found.isAtFrameEnd = demux.isAtFrameEnd();
    return found;
}

/// How many events, and whether all was understood.
std::pair<int, bool> events(const QByteArray& bytes, qsizetype pieceBytes)
{
    int count = 0;
    EventReader reader([&count](const Event&) { ++count; });
    for (qsizetype at = 0; at < bytes.size(); at += pieceBytes) {
        if (!reader.feed(bytes.mid(at, pieceBytes)))
            return { count, false };
    }
    return { count, true };
}

struct Progressed {
    int steps = 0;
    bool isGood = true;
    QString imageId;
    QString tail;

    bool operator==(const Progressed&) const = default;
};

Progressed progressed(const QByteArray& bytes, qsizetype pieceBytes)
{
    Progressed found;
    ProgressReader reader([&found](const auto&) { ++found.steps; });
    for (qsizetype at = 0; at < bytes.size() && found.isGood; at += pieceBytes)
        found.isGood = reader.feed(bytes.mid(at, pieceBytes)).has_value();
    found.isGood = found.isGood && reader.finish();
    found.imageId = reader.imageId();
    found.tail = reader.tail();
    require(found.tail.size() <= ProgressReader::maxTailCharacters);
    return found;
}

template <typename Read> void requireSameInPieces(const Read& read, const QByteArray& bytes)
{
    const auto whole = read(bytes, bytes.size() + 1);
    for (const qsizetype pieceBytes : { 1, 3, 8, 61 })
        require(read(bytes, pieceBytes) == whole);
}

void readObject(std::uint8_t which, const QByteArray& body)
{
    switch (which % 9) {
    case 0:
        (void)stringFromAnswer(body, QStringLiteral("Id"));
        (void)warningsFromAnswer(body);
        return;
    case 1:
        (void)versionFromAnswer(body);
        return;
    case 2:
        (void)infoFromAnswer(body);
        return;
    case 3:
        (void)containerFromAnswer(body);
        return;
    case 4:
        (void)containersFromAnswer(body);
        return;
    case 5:
        (void)exitCodeFromAnswer(body);
        return;
    case 6:
        (void)imageFromAnswer(body);
        (void)imagesFromAnswer(body);
        return;
    case 7:
        (void)volumeFromAnswer(body);
        return;
    default:
        (void)volumesFromAnswer(body);
    }
}

} // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***)
{
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0)
        return 0;
    const QByteArray bytes(
        reinterpret_cast<const char*>(data + 1), static_cast<qsizetype>(size) - 1);
    switch (data[0] % 4) {
    case 0: {
        requireSameInPieces(attached, bytes);
        const auto found = attached(bytes, bytes.size() + 1);
        require(found.output.size() + found.errorOutput.size() <= bytes.size());
        return 0;
    }
    case 1:
        requireSameInPieces(events, bytes);
        return 0;
    case 2:
        requireSameInPieces(progressed, bytes);
        return 0;
    default:
        readObject(data[0] / 4, bytes);
        return 0;
    }
}
