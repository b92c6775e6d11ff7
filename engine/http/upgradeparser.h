// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"

#include <QByteArray>
#include <QByteArrayView>

#include <memory>

namespace isol8::http {

/// Reads the answer to an HTTP/1.1 request with `Upgrade` (RFC 9110, section 7.8) from any number
/// of pieces. Pure; knows no socket. After Upgraded the connection belongs to the other protocol.
class UpgradeParser {
public:
    enum class State {
        Reading, ///< More bytes are needed.
        Upgraded, ///< 101, or 200 as older servers say; rest() came after the header.
        Refused, ///< A complete answer with another status; body() says why.
    };

    static constexpr qint64 maxHeaderBytes = 64 << 10;
    static constexpr qint64 maxBodyBytes = 256 << 10;

    UpgradeParser();
    ~UpgradeParser();
    Q_DISABLE_COPY_MOVE(UpgradeParser)

    /// Kind::Protocol when this is not HTTP, or over a bound; feed nothing more after that or after
    /// another state than Reading.
    [[nodiscard]] Result<State> feed(QByteArrayView bytes);
    /// The connection has ended. Kind::Protocol when that was in mid-answer.
    [[nodiscard]] Result<State> finish();

    [[nodiscard]] int status() const;
    /// Value of the `Api-Version` header, or empty.
    [[nodiscard]] QByteArray apiVersion() const;
    [[nodiscard]] QByteArray body() const;
    /// What followed the header in the last piece.
    [[nodiscard]] QByteArray rest() const;

private:
    struct Private;
    std::unique_ptr<Private> d;
};

} // namespace isol8::http
