// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/execution.h"
#include "engine/output/outputstream.h"
#include "engine/output/secretset.h"

#include <QElapsedTimer>
#include <QObject>
#include <QTimer>

#include <limits>

namespace isol8 {

/// A run's output on its way from the guest to whoever watches: masked, bounded, kept for the
/// result, and gathered so that a program writing single bytes does not become a signal for each.
/// Owned by the run.
class RunOutput : public QObject {
    Q_OBJECT

public:
    /// Of each stream @p keptBytes are kept at most.
    RunOutput(const SecretSet& secrets, qint64 maxBytes,
        qint64 keptBytes = std::numeric_limits<qint64>::max());

    void add(Channel channel, const QByteArray& bytes, Phase phase);
    /// The end of a phase: what was gathered comes out, so that it is told as that phase's.
    void finishPhase();
    /// The end: what masking held back comes out too.
    void finish();

    [[nodiscard]] bool isTruncated() const;
    [[nodiscard]] const QByteArray& kept(Channel channel) const;

Q_SIGNALS:
    void ready(isol8::Channel channel, const QByteArray& bytes, isol8::Phase phase);

private:
    struct Side {
        OutputStream stream;
        QByteArray waiting; ///< Masked and bounded, not signalled yet.
        QByteArray kept;
    };

    Side& side(Channel channel) { return channel == Channel::Stdout ? m_stdout : m_stderr; }
    void take(Channel channel, const QByteArray& bytes);
    void flush();
    void flush(Channel channel);

    const qint64 m_keptBytes;
    Side m_stdout;
    Side m_stderr;
    Phase m_phase = Phase::Code;
    Channel m_last = Channel::Stdout;
    QElapsedTimer m_sinceFlush;
    QTimer m_timer;
};

} // namespace isol8
