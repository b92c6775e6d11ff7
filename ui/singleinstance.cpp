// SPDX-License-Identifier: MIT
#include "ui/singleinstance.h"

#include <QCryptographicHash>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QLocalServer>
#include <QLocalSocket>
#include <QStandardPaths>
#include <QTimer>

#include <unistd.h>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {

constexpr qsizetype maxMessageBytes = 1 << 20;
constexpr std::chrono::milliseconds patience { 2000 };

QStringList filesOf(const QByteArray& message)
{
    QStringList files;
    for (const auto& value : QJsonDocument::fromJson(message).array())
        files << value.toString();
    return files;
}

} // namespace

SingleInstance::SingleInstance(const QString& name, QObject* parent)
    : QObject(parent)
    , m_name(name)
    , m_server(new QLocalServer(this))
{
    m_server->setSocketOptions(QLocalServer::UserAccessOption);
    connect(m_server, &QLocalServer::newConnection, this, &SingleInstance::accept);
}

SingleInstance::~SingleInstance() = default;

QString SingleInstance::usualName()
{
    const auto folder = QStandardPaths::writableLocation(QStandardPaths::RuntimeLocation);
    const QFileInfo info(folder);
    if (folder.isEmpty() || info.ownerId() != ::geteuid())
        return {};
    // One for each display: a window elsewhere is of no use here.
    const auto display = qgetenv("WAYLAND_DISPLAY") + ' ' + qgetenv("DISPLAY");
    const auto mark = QCryptographicHash::hash(display, QCryptographicHash::Sha1).toHex().left(8);
    return u"%1/isol8-gui-%2"_s.arg(folder, QString::fromLatin1(mark));
}

void SingleInstance::handOver(const QStringList& files, std::function<void(bool isTaken)> done)
{
    auto* socket = new QLocalSocket(this);
    const auto end = [socket, done = std::move(done)](bool isTaken) {
        socket->disconnect();
        socket->deleteLater();
        done(isTaken);
    };
    connect(socket, &QLocalSocket::errorOccurred, this, [end] { end(false); });
    connect(socket, &QLocalSocket::connected, socket, [socket, files] {
        socket->write(
            QJsonDocument(QJsonArray::fromStringList(files)).toJson(QJsonDocument::Compact) + '\n');
    });
    // The answer says that it lives: a stopped one accepts connections too.
    connect(socket, &QLocalSocket::readyRead, this, [socket, end] {
        if (socket->canReadLine())
            end(socket->readLine() == "ok\n");
    });
    QTimer::singleShot(patience, socket, [end] { end(false); });
    QMetaObject::invokeMethod(
        socket, [this, socket] { socket->connectToServer(m_name); }, Qt::QueuedConnection);
}

bool SingleInstance::listen()
{
    QLocalServer::removeServer(m_name); // of one that crashed: nobody answered there
    return m_server->listen(m_name);
}

void SingleInstance::accept()
{
    while (auto* socket = m_server->nextPendingConnection()) {
        connect(socket, &QLocalSocket::disconnected, socket, &QObject::deleteLater);
        QTimer::singleShot(patience, socket, &QLocalSocket::abort);
        const auto read = [this, socket] {
            if (socket->bytesAvailable() > maxMessageBytes) {
                socket->abort();
                return;
            }
            if (!socket->canReadLine())
                return;
            const auto files = filesOf(socket->readLine());
            socket->write("ok\n");
            socket->disconnectFromServer();
            Q_EMIT filesReceived(files);
        };
        connect(socket, &QLocalSocket::readyRead, this, read);
        read();
    }
}

} // namespace isol8::ui
