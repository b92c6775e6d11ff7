// SPDX-License-Identifier: MIT
#pragma once

#include <QObject>

#include <memory>

class QSocketNotifier;

namespace isol8::cli {

/// Writes to a descriptor without ever blocking the event loop and without setting O_NONBLOCK,
/// which whoever shares the open file would feel. Does not own the descriptor.
class FdWriter : public QObject {
    Q_OBJECT

public:
    explicit FdWriter(int descriptor, QObject* parent = nullptr);
    ~FdWriter() override;

    /// Writes what the other side takes at once and keeps the rest. Ignored after a failure.
    void write(const QByteArray& bytes);
    [[nodiscard]] qint64 pendingBytes() const { return m_waiting.size() - m_offset; }
    [[nodiscard]] int failure() const { return m_failure; } ///< An errno; 0: none.

Q_SIGNALS:
    void progressed(); ///< pendingBytes() became smaller.
    void failed(int errorNumber); ///< Never from within write().

private:
    void advance();
    /// Bytes written, 0 when the descriptor is not ready, -1 with errno.
    qint64 writeSome(QByteArrayView bytes) const;

    int m_descriptor;
    qint64 m_pieceBytes; ///< What a ready descriptor takes without blocking.
    QByteArray m_waiting;
    qint64 m_offset = 0;
    int m_failure = 0;
    std::unique_ptr<QSocketNotifier> m_notifier;
};

} // namespace isol8::cli
