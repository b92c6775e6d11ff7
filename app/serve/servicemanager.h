// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>
#include <QList>
#include <QString>
#include <QTimer>

namespace isol8::serve {

/// The service manager that started this process, systemd as a rule: the sockets it passes in
/// (sd_listen_fds(3)), what it wants to be told (sd_notify(3)) and its watchdog. Speaks these small
/// protocols itself. Without a manager everything does nothing.
class ServiceManager {
public:
    /// Reads the environment variables and removes them, so that no child takes them for its own.
    ServiceManager();
    ~ServiceManager() = default;
    Q_DISABLE_COPY_MOVE(ServiceManager)

    /// Listening sockets passed in; the caller takes them. They are closed at exec.
    [[nodiscard]] const QList<int>& sockets() const { return m_sockets; }
    [[nodiscard]] bool isNotified() const { return !m_address.isEmpty(); }

    /// It serves now, also again after reloading(). Starts to feed the watchdog, from the event
    /// loop, so that a server that hangs is restarted.
    void ready(const QString& status);
    /// It reads its configuration anew; call ready() afterwards.
    void reloading();
    /// It ends, and may need @p limit for that.
    void stopping(const QString& status, std::chrono::milliseconds limit);

private:
    void notify(const QByteArray& state) const;

    QByteArray m_address; ///< Of the notification socket: a path, or `@` and an abstract name.
    QList<int> m_sockets;
    std::chrono::milliseconds m_watchdogInterval {}; ///< 0: there is none.
    QTimer m_watchdog;
};

} // namespace isol8::serve
