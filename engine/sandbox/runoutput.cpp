// SPDX-License-Identifier: MIT
#include "engine/sandbox/runoutput.h"

#include "engine/core/largebuffer.h"

namespace isol8 {

namespace {
/// Output younger than this waits for more to come; the first byte after a pause never waits.
constexpr std::chrono::milliseconds gatherTime { 4 };
constexpr qsizetype gatherBytes = 64 * 1024;
} // namespace

RunOutput::RunOutput(const SecretSet& secrets, qint64 maxBytes, qint64 keptBytes)
    : m_keptBytes(keptBytes)
    , m_stdout { OutputStream(secrets, maxBytes), {}, {} }
    , m_stderr { OutputStream(secrets, maxBytes), {}, {} }
{
    m_timer.setSingleShot(true);
    connect(&m_timer, &QTimer::timeout, this, qOverload<>(&RunOutput::flush));
}

void RunOutput::add(Channel channel, const QByteArray& bytes, Phase phase)
{
    m_phase = phase;
    take(channel, side(channel).stream.feed(bytes));
}

void RunOutput::take(Channel channel, const QByteArray& bytes)
{
    if (bytes.isEmpty())
        return;
    // The order between the two streams is kept as far as it is known.
    if (channel != m_last)
        flush(m_last);
    m_last = channel;
    auto& [stream, waiting, kept] = side(channel);
    appendLarge(kept,
        QByteArrayView(bytes).first(
            std::min<qint64>(bytes.size(), std::max<qint64>(0, m_keptBytes - kept.size()))));
    // Large pieces are passed on as they are.
    if (waiting.size() + bytes.size() > gatherBytes)
        flush();
    waiting += bytes;
    if (!m_sinceFlush.isValid() || m_sinceFlush.durationElapsed() >= gatherTime
        || waiting.size() >= gatherBytes)
        flush();
    else if (!m_timer.isActive())
        m_timer.start(gatherTime);
}

void RunOutput::flush()
{
    m_timer.stop();
    m_sinceFlush.start();
    flush(Channel::Stdout);
    flush(Channel::Stderr);
}

void RunOutput::flush(Channel channel)
{
    if (side(channel).waiting.isEmpty())
        return;
    const auto bytes = std::exchange(side(channel).waiting, {});
    Q_EMIT ready(channel, bytes, m_phase);
}

void RunOutput::finishPhase()
{
    flush();
}

void RunOutput::finish()
{
    for (const auto channel : { Channel::Stdout, Channel::Stderr })
        take(channel, side(channel).stream.finish());
    flush();
}

bool RunOutput::isTruncated() const
{
    return m_stdout.stream.isTruncated() || m_stderr.stream.isTruncated();
}

const QByteArray& RunOutput::kept(Channel channel) const
{
    return channel == Channel::Stdout ? m_stdout.kept : m_stderr.kept;
}

} // namespace isol8
