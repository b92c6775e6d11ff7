// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/bytestream.h"

#include <utility>

namespace isol8::test {

/// A ByteStream whose other side is the test itself, without a socket or an event loop.
class MemoryStream final : public ByteStream {
public:
    void write(const QByteArray& bytes) override
    {
        if (!isFinished && !isAborted)
            written += bytes;
    }
    [[nodiscard]] qint64 pendingBytes() const override { return 0; }
    void setReading(bool isReading) override
    {
        m_isReading = isReading;
        deliver();
    }
    void finishWriting() override { isFinished = true; }
    void abort() override { isAborted = true; }

    /// The other side sends; it arrives once reading is on.
    void say(const QByteArray& bytes)
    {
        m_waiting += bytes;
        deliver();
    }
    /// The other side will send no more.
    void end()
    {
        m_hasEnded = true;
        deliver();
    }

    QByteArray written;
    bool isFinished = false;
    bool isAborted = false;

private:
    void deliver()
    {
        // Queued, as no stream signals within a call of its owner's.
        QMetaObject::invokeMethod(
            this,
            [this] {
                if (m_isReading && !isAborted && !m_waiting.isEmpty())
                    Q_EMIT received(std::exchange(m_waiting, {}));
                else if (m_isReading && !isAborted && m_waiting.isEmpty()
                    && std::exchange(m_hasEnded, false))
                    Q_EMIT finishedReading();
                else
                    return;
                deliver();
            },
            Qt::QueuedConnection);
    }

    bool m_isReading = false;
    bool m_hasEnded = false;
    QByteArray m_waiting;
};

} // namespace isol8::test
