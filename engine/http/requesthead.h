// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>
#include <QHostAddress>
#include <QList>
#include <QString>

#include <optional>

namespace isol8::http {

/// A header field or, in an answer, one to be sent.
struct Field {
    QByteArray name;
    QByteArray value;
};
using Fields = QList<Field>;

/// The checked request line and header fields of one request (RFC 9112).
struct RequestHead {
    QByteArray method; ///< As sent, upper case: the server knows no other.
    QByteArray
        target; ///< Exactly as sent; for a server: starts with a slash, or is `*` in OPTIONS.
    QString
        path; ///< The target before `?`, percent-decoded once, otherwise untouched: no dot segment
              ///< or slash is removed. Route and authorisation are both decided on this string.
    QByteArray query; ///< What follows the first `?`, as sent.
    int minorVersion = 1; ///< HTTP/1.x
    Fields fields; ///< In the order sent; values without the white space around them.

    bool isKeepAlive = true;
    bool isChunked = false;
    bool expectsContinue = false;
    bool isUpgrade = false; ///< A GET without body that asks for `Upgrade: websocket`.
    qint64 contentLength = 0; ///< 0 without the field, and when isChunked.

    QHostAddress peerAddress; ///< Null for a local socket. IPv4 in IPv6 is given as IPv4.
    bool isEncrypted = false;

    [[nodiscard]] bool hasBody() const { return isChunked || contentLength > 0; }
    /// First value of a field, by name without regard to case; empty without the field.
    [[nodiscard]] QByteArray header(QByteArrayView name) const;
    /// Every value of a field: more than one `Authorization` is for the caller to refuse.
    [[nodiscard]] QList<QByteArray> headers(QByteArrayView name) const;
    /// First value of @p name in the query, form-decoded (`+` is a space); nullopt when it is
    /// absent or its encoding is broken (a stray `%`, not UTF-8, NUL).
    [[nodiscard]] std::optional<QString> queryItem(QStringView name) const;
};

/// Undoes percent-encoding once; nullopt for a `%` without two hexadecimal digits, for what is not
/// UTF-8 afterwards, and for control characters.
[[nodiscard]] std::optional<QString> percentDecoded(QByteArrayView encoded);

} // namespace isol8::http
