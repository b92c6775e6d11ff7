// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/bytestream.h"

#include <QSocketNotifier>

#include <deque>
#include <optional>

namespace isol8::proxy {

/// ByteStream over a connected, non-blocking stream socket, which it owns. Unlike QTcpSocket it
/// keeps writing after the other side's end, and buffers nothing that it reads.
class SocketStream final : public ByteStream {
    Q_OBJECT

public:
    explicit SocketStream(int descriptor);
    ~SocketStream() override;

    void write(const QByteArray& bytes) override;
    [[nodiscard]] qint64 pendingBytes() const override { return m_pendingBytes; }
    void setReading(bool isReading) override;
    void finishWriting() override;
    void abort() override;

private:
    enum class Close { InOrder, Reset };

    void readSome();
    void writeSome();
    void onException();
    void flush();
    void failWriting(int error);
    void watchForErrors();
    void endWriting();
    void finishIfEnded();
    void fail(int error);
    void scheduleEnd(Result<> ending);
    void close(Close how);

    int m_descriptor;
    QSocketNotifier m_readNotifier;
    QSocketNotifier m_writeNotifier;
    QSocketNotifier m_errorNotifier; ///< Hears of a reset while nothing is read.
    std::deque<QByteArray> m_queue;
    qsizetype m_sentOfFirst = 0;
    qint64 m_pendingBytes = 0;
    bool m_isReading = false;
    bool m_hasReadEnded = false;
    bool m_isFinishing = false; ///< finishWriting() was called.
    bool m_hasWriteEnded = false;
    bool m_hasHungUp = false;
    int m_writeError = 0; ///< Writing failed; closed() waits for the end of reading.
    bool m_isEnded = false; ///< Aborted, or closed() is signalled or on its way.
};

} // namespace isol8::proxy
