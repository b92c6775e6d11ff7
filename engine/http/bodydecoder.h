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
    /// Bodies of more than @p maxBytes fail.
    BodyDecoder(const RequestHead& head, qint64 maxBytes);
    ~BodyDecoder();
    Q_DISABLE_COPY_MOVE(BodyDecoder)

    /// Takes from @p bytes what belongs to the body; the number of bytes taken, which is all unless
    /// the body is complete now. Errors carry 400 or 413 in httpStatus; feed nothing after one.
    [[nodiscard]] Result<qint64> feed(QByteArrayView bytes);
    [[nodiscard]] bool isComplete() const;
    [[nodiscard]] const QByteArray& body() const;

private:
    struct Private;
    std::unique_ptr<Private> d;
};

} // namespace isol8::http
