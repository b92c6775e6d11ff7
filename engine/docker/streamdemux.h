// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"

#include <QByteArrayView>

#include <optional>

namespace isol8::docker {

/// Takes Docker's multiplexed attach stream apart (API, `POST /containers/{id}/attach`, "Stream
/// format"): frames of one byte stream number, three zero bytes, a 32-bit big-endian length, and
/// the payload. Keeps no payload: a frame that arrives in pieces is given out in pieces.
class StreamDemux {
public:
    enum class Stream { Stdout, Stderr };
    struct Piece {
        Stream stream = Stream::Stdout;
        QByteArrayView bytes;
    };

    static constexpr qsizetype headerBytes = 8;

    /// Takes the next payload bytes off the front of @p input; no value when more input is needed
    /// (then
    /// @p input is used up). Kind::Protocol for anything that is not such a frame; call no more
    /// then.
    [[nodiscard]] Result<std::optional<Piece>> next(QByteArrayView& input);

    /// Whether the stream may end here.
    [[nodiscard]] bool isAtFrameEnd() const { return m_have == 0 && m_left == 0; }

private:
    unsigned char m_header[headerBytes] = {};
    qsizetype m_have = 0; ///< Bytes of the header so far.
    qsizetype m_left = 0; ///< Payload bytes that are still to come.
    Stream m_stream = Stream::Stdout;
};

} // namespace isol8::docker
