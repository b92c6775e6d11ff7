// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"

#include <QByteArray>
#include <QObject>

namespace isol8 {

/// A two-way stream of bytes that holds its sender back: a connection that a sandbox carries, or a
/// socket. Each direction ends on its own. Owned by whoever asked for it; destroying it aborts it,
/// and it may be destroyed in any of its signals.
class ByteStream : public QObject {
    Q_OBJECT

public:
    /// Queues @p bytes for the other side; ignored after finishWriting() and after the end. The
    /// queue has no bound: whoever writes watches pendingBytes() and goes on at written().
    virtual void write(const QByteArray& bytes) = 0;
    /// Bytes queued here that the other side has not made room for.
    [[nodiscard]] virtual qint64 pendingBytes() const = 0;
    /// Off at first, so that no byte is lost before somebody listens. While off, at most a bounded
    /// window is taken in, received() and finishedReading() wait, and the sender is held back.
    virtual void setReading(bool isReading) = 0;
    /// Ends our direction once everything queued is sent; the other one goes on.
    virtual void finishWriting() = 0;
    /// Ends both directions at once, so that the other side sees a reset; nothing is signalled
    /// after it.
    virtual void abort() = 0;

Q_SIGNALS:
    void received(const QByteArray& bytes);
    /// pendingBytes() has gone down.
    void written();
    /// The other side will send no more; all that it sent was received().
    void finishedReading();
    /// The last signal, once: both directions have ended in order, or the Error says what cut them
    /// off (Kind::Unreachable: a reset, or the way to the other side was lost; the rest of what was
    /// queued or not yet received is gone). An Error is signalled also while reading is off.
    void closed(const isol8::Result<>& ending);

protected:
    using QObject::QObject;
};

} // namespace isol8
