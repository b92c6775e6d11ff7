// SPDX-License-Identifier: MIT
#pragma once

#include "engine/sandbox/guestconnection.h"

#include <QSocketNotifier>

namespace isol8 {

/// Carries the conversation with a guest over a Unix socket of its own: protocol.h's direct socket.
/// Owned by the GuestLink.
class DirectTransport final : public GuestTransport {
    Q_OBJECT

public:
    /// @p fd: connected, non-blocking, and from now on this object's.
    explicit DirectTransport(int fd);
    ~DirectTransport() override;

    void write(const QByteArray& bytes) override;
    [[nodiscard]] qint64 pendingBytes() const override { return m_pending.size() - m_at; }
    void setReading(bool isReading) override;
    void close() override;
    /// Signals what has come already, up to the end if that has.
    void drain();

private:
    void read();
    /// How many bytes; 0: nothing more for now.
    [[nodiscard]] qsizetype readOnce();
    void writePending();
    void finish(int error);

    int m_fd;
    bool m_isReading = true;
    QByteArray m_pending; ///< What the system has not taken yet,
    qsizetype m_at = 0; ///< from here on.
    QSocketNotifier m_readNotifier;
    QSocketNotifier m_writeNotifier;
};

} // namespace isol8
