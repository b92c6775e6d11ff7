// SPDX-License-Identifier: MIT
#include "app/serve/accesslog.h"

#include "engine/core/logging.h"

#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>

#include <cerrno>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace isol8::serve {

using namespace Qt::StringLiterals;

namespace {

/// So that a line is at most PIPE_BUF bytes, which a pipe takes whole or not at all.
constexpr qsizetype maxPathCharacters = 256;
constexpr qsizetype maxMethodCharacters = 32;

QByteArray line(const QJsonObject& object)
{
    return QJsonDocument(object).toJson(QJsonDocument::Compact) + '\n';
}

} // namespace

QByteArray accessLine(const AccessEntry& entry)
{
    QJsonObject object { { u"time"_s, entry.time.toUTC().toString(Qt::ISODateWithMs) },
        { u"peer"_s, entry.peer.isNull() ? u"unix"_s : entry.peer.toString() },
        { u"status"_s, entry.status }, { u"bytes"_s, entry.bodyBytes },
        { u"durationMs"_s, double(entry.duration.count()) / 1000 } };
    if (!entry.method.isEmpty()) {
        object.insert(u"method"_s, QString::fromLatin1(entry.method.left(maxMethodCharacters)));
        object.insert(u"path"_s, entry.path.left(maxPathCharacters));
    }
    if (!entry.route.isEmpty())
        object.insert(u"route"_s, QString::fromLatin1(entry.route));
    if (entry.principal) {
        object.insert(u"tenant"_s, entry.principal->tenant);
        object.insert(u"key"_s, entry.principal->isMaster ? u"master"_s : entry.principal->keyId);
    }
    if (!entry.executionId.isEmpty())
        object.insert(u"executionId"_s, entry.executionId);
    if (entry.isClientGone)
        object.insert(u"clientGone"_s, true);
    return line(object);
}

AccessLog::~AccessLog()
{
    close();
}

Result<> AccessLog::open(const QString& destination)
{
    int descriptor = -1;
    if (destination == "-"_L1) {
        descriptor = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
    } else if (!destination.isEmpty()) {
        // Not waiting: a FIFO that nobody reads is an error, not the end of the server.
        descriptor = ::open(QFile::encodeName(destination).constData(),
            O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
            S_IRUSR | S_IWUSR | S_IRGRP);
    }
    if (descriptor < 0 && !destination.isEmpty())
        return failure(Kind::Invalid,
            u"serve.accessLog: cannot write to %1: %2"_s.arg(destination, qt_error_string(errno)));
    close();
    m_descriptor = descriptor;
    m_isInLine = false;
    return {};
}

void AccessLog::close()
{
    if (const int descriptor = std::exchange(m_descriptor, -1); descriptor >= 0)
        ::close(descriptor);
}

void AccessLog::write(const AccessEntry& entry)
{
    if (!isOpen())
        return;
    if (m_leftOut > 0
        && append(line({ { u"time"_s, QDateTime::currentDateTimeUtc().toString(Qt::ISODateWithMs) },
            { u"linesLeftOut"_s, m_leftOut } })))
        m_leftOut = 0;
    if (m_leftOut == 0 && append(accessLine(entry)))
        return;
    if (m_leftOut++ == 0)
        qCWarning(logServe) << "the access log takes no lines:" << qt_error_string(errno);
}

bool AccessLog::append(const QByteArray& text)
{
    // Standard output may be somebody's pipe or terminal, whose flags are not ours to change.
    pollfd entry { m_descriptor, POLLOUT, 0 };
    if (::poll(&entry, 1, 0) != 1) {
        errno = EAGAIN;
        return false;
    }
    const QByteArray bytes = m_isInLine ? '\n' + text : text;
    const auto written = ::write(m_descriptor, bytes.constData(), size_t(bytes.size()));
    if (written > 0)
        m_isInLine = written < bytes.size();
    return written == bytes.size();
}

} // namespace isol8::serve
