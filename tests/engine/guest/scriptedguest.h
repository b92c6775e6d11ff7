// SPDX-License-Identifier: MIT
#pragma once

#include "engine/sandbox/guestconnection.h"

#include <QPointer>

namespace isol8::test {

/// One frame as the host sent it.
struct SentFrame {
    guest::Type type = guest::Type::Padding;
    guest::Stream stream = guest::Stream::None;
    quint32 id = 0;
    QByteArray payload;
};

/// A transport without a guest: keeps what the host writes, says what the test wants.
class ScriptedTransport final : public GuestTransport {
    Q_OBJECT

public:
    ScriptedTransport() = default;

    void write(const QByteArray& bytes) override;
    [[nodiscard]] qint64 pendingBytes() const override { return m_pending; }
    void setReading(bool) override { }
    void close() override { m_isClosed = true; }

    [[nodiscard]] const QByteArray& written() const { return m_written; }
    [[nodiscard]] bool isClosed() const { return m_isClosed; }
    /// All frames so far; padding is skipped.
    [[nodiscard]] QList<SentFrame> frames() const;
    [[nodiscard]] SentFrame lastFrame(guest::Type type) const;

    void say(const QByteArray& bytes) { Q_EMIT received(bytes); }
    void die(const Error& error) { Q_EMIT closed(error); }
    /// Pretends that the other side takes nothing more, or takes it again.
    void setPending(qint64 bytes)
    {
        m_pending = bytes;
        Q_EMIT GuestTransport::written();
    }
    /// Answers Hello.
    void greet(quint32 version = guest::protocolVersion, quint32 cgroupVersion = 2);

    [[nodiscard]] static QByteArray frame(guest::Type type, quint32 id,
        const QByteArray& payload = {}, guest::Stream stream = guest::Stream::None);
    [[nodiscard]] static QByteArray report(quint32 id, const guest::RunReport& report);
    [[nodiscard]] static QByteArray u32(quint32 value);
    [[nodiscard]] static QByteArray entry(char kind, quint64 size, const QByteArray& name);

private:
    QByteArray m_written;
    bool m_isClosed = false;
    qint64 m_pending = 0;
};

} // namespace isol8::test
