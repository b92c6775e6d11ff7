// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"
#include "engine/http/requesthead.h"

#include <memory>

namespace isol8::http {

/// Takes the body of one request out of the bytes of its connection, chunked or of known length.
/// Pure.
class BodyDecoder {
public:
    enum class Framing {
        Length, ///< So many bytes; none: there is no body.
        Chunked,
        UntilClose, ///< Only the end of the connection completes it: see finish().
    };

    /// Bodies of more than @p maxBytes fail.
    BodyDecoder(const RequestHead& head, qint64 maxBytes);
    /// For bodies that are taken piece by piece with takeBody(), of any size. @p length counts for
    /// Framing::Length.
    explicit BodyDecoder(Framing framing, qint64 length = 0);
    ~BodyDecoder();
    Q_DISABLE_COPY_MOVE(BodyDecoder)

    /// Takes from @p bytes what belongs to the body; the number of bytes taken, which is all unless
    /// the body is complete now. Errors carry 400 or 413 in httpStatus; feed nothing after one.
    [[nodiscard]] Result<qint64> feed(QByteArrayView bytes);
    /// The same, without a copy where all of them are the body's.
    [[nodiscard]] Result<qint64> feedShared(const QByteArray& bytes);
    [[nodiscard]] bool isComplete() const;
    /// The connection has ended: whether the body is complete.
    [[nodiscard]] bool finish();
    [[nodiscard]] const QByteArray& body() const;
    /// What was decoded since the last call.
    [[nodiscard]] QByteArray takeBody();

private:
    struct Private;
    std::unique_ptr<Private> d;
};

} // namespace isol8::http
