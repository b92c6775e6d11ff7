// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"

#include <QObject>
#include <QSocketNotifier>

#include <memory>

namespace isol8 {

/// The host's end of protocol.h's direct socket until the guest has come: a folder of its own, to
/// be mounted into one sandbox, and for a moment a listening socket in it. Owned by whoever makes
/// the sandbox, then by its GuestLink. Socket and folder go with it.
class DirectSocket final : public QObject {
    Q_OBJECT

public:
    /// In a new folder below @p base, which nobody else can enter. @p isLasting: once a guest has
    /// come the folder stays, empty, for the sandbox's next host, until somebody removes it.
    [[nodiscard]] static Result<std::unique_ptr<DirectSocket>> make(
        const QString& base, bool isLasting);
    /// In a lasting folder that an earlier host has made, which stays. Kind::Conflict while another
    /// host has it.
    [[nodiscard]] static Result<std::unique_ptr<DirectSocket>> reopen(const QString& folder);
    ~DirectSocket() override;

    [[nodiscard]] const QString& folder() const { return m_folder; }
    /// Waits for the one connection that says @p token first, and passes it the guest's end of a
    /// pair of sockets; any other is closed.
    [[nodiscard]] Result<> listen(const QByteArray& token);
    /// Waits for nobody any more, and removes socket and folder.
    void close();

Q_SIGNALS:
    /// The host's end of the pair: non-blocking, the receiver's own. Everything else is closed and
    /// removed.
    void connected(int fd);

private:
    DirectSocket(const QString& folder, bool isLasting);
    [[nodiscard]] QByteArray path() const;
    void accept();
    void readToken();
    void dropCandidate();
    void passSocket();

    QString m_folder;
    bool m_isLasting;
    bool m_isKept = false; ///< The folder is not removed.
    int m_lock; ///< The folder, locked: whoever finds it unlocked may remove it.
    int m_listener = -1;
    int m_candidate = -1;
    QByteArray m_token;
    QByteArray m_read;
    std::unique_ptr<QSocketNotifier> m_listenerNotifier;
    std::unique_ptr<QSocketNotifier> m_candidateNotifier;
};

} // namespace isol8
