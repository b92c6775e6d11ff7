// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"

#include <QObject>

namespace isol8::docker {

/// A container's three standard streams on one upgraded connection, already told apart. Owned by
/// whoever attached. Nothing is read until setReading(true), so no byte is lost before somebody
/// listens.
class AttachedStream : public QObject {
    Q_OBJECT

public:
    /// Queues bytes for the container's standard input.
    virtual void write(const QByteArray& bytes) = 0;
    /// Bytes queued here that the system has not taken yet.
    [[nodiscard]] virtual qint64 pendingBytes() const = 0;
    /// While off, the sender is held back by the transport and memory stays flat.
    virtual void setReading(bool isReading) = 0;
    /// Closes the connection at once; closed() is not signalled after it.
    virtual void close() = 0;

Q_SIGNALS:
    void stdoutReceived(const QByteArray& bytes);
    void stderrReceived(const QByteArray& bytes);
    void bytesWritten(qint64 bytes);
    /// The other side closed (Kind::Unreachable), or broke Docker's framing (Kind::Protocol).
    /// Signalled once, last, and after all that was received; so not while reading is off.
    void closed(const isol8::Error& reason);

protected:
    using QObject::QObject;
};

} // namespace isol8::docker
