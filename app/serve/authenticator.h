// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/task.h"

#include <QByteArray>
#include <QHostAddress>
#include <QList>

#include <memory>

namespace isol8::serve {

class KeyStore;

/// Who sent a request. Sessions, files and executions belong to its tenant.
struct Principal {
    QString tenant; ///< `default` for the master key and for keys without a tenant.
    bool isMaster = false;
    QString keyId; ///< Of a key of the store; empty for the master key.

    bool operator==(const Principal&) const = default;
};

/// Decides by the Authorization header who a client is: the holder of the master key, of a key in
/// the store, or nobody. An address that presented wrong keys has to wait before each further
/// answer, longer each time; requests with the right key are never held up by others' failures.
class Authenticator {
public:
    struct Limits {
        int freeFailures = 5; ///< Failed attempts of an address that cost no time.
        std::chrono::milliseconds firstDelay { 100 }; ///< Then doubled with each failure …
        std::chrono::milliseconds maxDelay { 5'000 }; ///< … up to this.
        std::chrono::milliseconds forgetAfter { 300'000 }; ///< Since the last failure.
        int maxAddresses = 4096; ///< Remembered; the one that failed longest ago goes first.
        int maxDelayed = 512; ///< Answers that wait at the same time; more get 429 at once.
    };

    /// @p masterKey must not be empty. @p store may be null: the master key alone counts.
    Authenticator(const QByteArray& masterKey, std::shared_ptr<KeyStore> store);
    Authenticator(const QByteArray& masterKey, std::shared_ptr<KeyStore> store, Limits limits);
    Q_DISABLE_COPY_MOVE(Authenticator)
    ~Authenticator();

    /// @p authorization: the value of every Authorization header field of the request. Errors carry
    /// the HTTP status: 401 without a key, 403 for a wrong, unknown, expired or revoked one, 429
    /// for too many failures, 503 when the store cannot say. @p cancel ends the wait of a client
    /// that has gone.
    [[nodiscard]] Task<Principal> authenticate(
        QList<QByteArray> authorization, QHostAddress peer, CancelToken cancel = {});

    /// Failed attempts of @p peer that are still remembered.
    [[nodiscard]] int failures(const QHostAddress& peer) const;
    /// Since the start.
    [[nodiscard]] qint64 totalFailures() const;

private:
    struct State;
    struct Steps;
    std::shared_ptr<State> m_state;
};

/// The key of `Bearer <key>`: the scheme in any case, exactly one blank, a key of 1 to 4,096
/// visible ASCII characters. None for everything else.
[[nodiscard]] std::optional<QByteArray> bearerKey(const QByteArray& authorization);

/// Compares in a time that depends on neither content.
[[nodiscard]] bool isEqualInConstantTime(const QByteArray& left, const QByteArray& right);

} // namespace isol8::serve
