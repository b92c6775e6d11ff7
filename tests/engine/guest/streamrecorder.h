// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/bytestream.h"

#include <memory>
#include <optional>

namespace isol8::test {

/// Holds a stream and remembers what it signalled.
struct StreamRecorder {
    explicit StreamRecorder(std::unique_ptr<ByteStream> taken)
        : stream(std::move(taken))
    {
        QObject::connect(stream.get(), &ByteStream::received, stream.get(),
            [this](const QByteArray& bytes) { received += bytes; });
        QObject::connect(stream.get(), &ByteStream::written, stream.get(), [this] { ++written; });
        QObject::connect(stream.get(), &ByteStream::finishedReading, stream.get(),
            [this] { ++finishedReading; });
        QObject::connect(
            stream.get(), &ByteStream::closed, stream.get(), [this](const Result<>& ending) {
                closed = ending;
                ++closings;
            });
    }

    std::unique_ptr<ByteStream> stream;
    QByteArray received;
    int written = 0;
    int finishedReading = 0;
    int closings = 0;
    std::optional<Result<>> closed;
};

} // namespace isol8::test
