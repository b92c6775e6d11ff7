// SPDX-License-Identifier: MIT
#include "engine/sandbox/dockertransport.h"

#include "engine/core/logging.h"

namespace isol8 {

namespace {
constexpr int maxLoggedBytes = 4096;
}

DockerTransport::DockerTransport(std::shared_ptr<docker::AttachedStream> stream)
    : m_stream(std::move(stream))
{
    using docker::AttachedStream;
    connect(m_stream.get(), &AttachedStream::stdoutReceived, this, &GuestTransport::received);
    connect(m_stream.get(), &AttachedStream::bytesWritten, this, &GuestTransport::written);
    connect(m_stream.get(), &AttachedStream::closed, this, [this](const Error& reason) {
        auto error = reason.within(QStringLiteral("the sandbox ended"));
        // Docker may be well: whoever stopped the container, or Docker, ended this sandbox alone.
        if (error.kind == Kind::Unreachable)
            error.kind = Kind::Internal;
        Q_EMIT closed(error);
    });
    connect(m_stream.get(), &AttachedStream::stderrReceived, this, [this](const QByteArray& bytes) {
        if (m_loggedBytes >= maxLoggedBytes)
            return;
        m_loggedBytes += static_cast<int>(bytes.size());
        qCDebug(logSandbox) << "guest:" << bytes.left(maxLoggedBytes).trimmed();
    });
    m_stream->setReading(true);
}

DockerTransport::~DockerTransport()
{
    m_stream->close();
}

void DockerTransport::write(const QByteArray& bytes)
{
    m_stream->write(bytes);
}

qint64 DockerTransport::pendingBytes() const
{
    return m_stream->pendingBytes();
}

void DockerTransport::setReading(bool isReading)
{
    m_stream->setReading(isReading);
}

void DockerTransport::close()
{
    m_stream->close();
}

} // namespace isol8
