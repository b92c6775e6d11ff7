// SPDX-License-Identifier: MIT
#pragma once

#include <QString>

#include <expected>

namespace isol8 {

/// What kind of failure an Error is. The command line turns it into an exit code and a next step,
/// the server into an HTTP status.
enum class Kind {
    Cancelled, ///< The caller asked for the end.
    Timeout, ///< A time limit of isol8's own passed; a program's time limit is a result, not an
             ///< error.
    Unreachable, ///< Docker, a server or a registry does not answer.
    Denied, ///< Not permitted, by the other side or by policy.
    NotFound,
    Conflict, ///< The name is in use, or the state forbids the operation.
    Protocol, ///< The other side said something that makes no sense.
    Invalid, ///< Our caller's value cannot be right; the message names it and what is allowed.
    Limit, ///< A bound was reached: too large, too many, no space left.
    Internal,
};

/// A failure: its kind and one English sentence without a full stop at its end, ready to be shown.
struct Error {
    Kind kind = Kind::Internal;
    QString message;
    int httpStatus = 0; ///< Status of the HTTP answer that said so; 0 without one.

    bool operator==(const Error&) const = default;

    /// The same failure with @p context and a colon before its message.
    [[nodiscard]] Error within(const QString& context) const
    {
        return { kind, context + QStringLiteral(": ") + message, httpStatus };
    }
};

template <typename T = void> using Result = std::expected<T, Error>;

/// Shortens `return std::unexpected(Error { … })`.
[[nodiscard]] inline std::unexpected<Error> failure(Kind kind, QString message, int httpStatus = 0)
{
    return std::unexpected(Error { kind, std::move(message), httpStatus });
}

} // namespace isol8
