// SPDX-License-Identifier: MIT
#include "engine/http/listener.h"

#include <QFile>
#include <QFileInfo>
#include <QSslCertificate>
#include <QSslKey>
#include <QTcpSocket>
#include <QTimer>

#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace isol8::http {

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

Result<QByteArray> contents(const QString& path)
{
    constexpr qint64 maxPemBytes = 1 << 20;
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly))
        return failure(Kind::NotFound, u"cannot read %1: %2"_s.arg(path, file.errorString()));
    return file.read(maxPemBytes);
}

/// Removes the socket file of a server that is gone.
Result<> removeStale(const QString& path, const sockaddr_un& address)
{
    struct stat entry {};
    if (::lstat(address.sun_path, &entry) != 0)
        return {};
    if (!S_ISSOCK(entry.st_mode))
        return failure(Kind::Conflict, u"%1 exists and is no socket"_s.arg(path));
    const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0)
        return failure(Kind::Internal, u"cannot make a socket"_s);
    const bool isConnected
        = ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    const bool isStale = !isConnected && errno == ECONNREFUSED;
    ::close(probe);
    if (!isStale)
        return failure(Kind::Conflict, u"%1 is in use"_s.arg(path));
    ::unlink(address.sun_path);
    return {};
}

} // namespace

TcpListener::TcpListener(Accepted accepted)
    : m_accepted(std::move(accepted))
{
    // Without free descriptors QTcpServer stops accepting; some will be free again.
    connect(this, &QTcpServer::acceptError, this,
        [this] { QTimer::singleShot(200ms, this, &QTcpServer::resumeAccepting); });
}

Result<> LocalListener::bindPath(const QString& path)
{
    sockaddr_un address {};
    address.sun_family = AF_UNIX;
    const QByteArray name = QFile::encodeName(path);
    if (!path.startsWith(u'/') || name.size() >= qsizetype(sizeof address.sun_path))
        return failure(Kind::Invalid,
            u"the path of a socket must be absolute and shorter than %1 bytes"_s.arg(
                sizeof address.sun_path));
    std::memcpy(address.sun_path, name.constData(), size_t(name.size()));
    if (const auto removed = removeStale(path, address); !removed)
        return removed;
    // With an access option the socket is made in a private folder and renamed, so it is never open
    // to others, not even at first.
    setSocketOptions(UserAccessOption);
    if (!QLocalServer::listen(path)) {
        const bool isDenied = serverError() == QAbstractSocket::SocketAccessError;
        return failure(isDenied ? Kind::Denied : Kind::Invalid,
            u"cannot listen on %1: %2"_s.arg(path, errorString()));
    }
    if (::chmod(address.sun_path, S_IRUSR | S_IWUSR) != 0)
        return failure(Kind::Denied, u"cannot set the mode of %1"_s.arg(path));
    return {};
}

QHostAddress peerOf(const QTcpSocket& socket)
{
    int domain = AF_UNIX;
    socklen_t domainBytes = sizeof domain;
    ::getsockopt(int(socket.socketDescriptor()), SOL_SOCKET, SO_DOMAIN, &domain, &domainBytes);
    if (domain == AF_UNIX)
        return {};
    bool isIpv4 = false;
    const auto ipv4 = socket.peerAddress().toIPv4Address(&isIpv4);
    return isIpv4 ? QHostAddress(ipv4) : socket.peerAddress();
}

Result<QSslConfiguration> tlsConfiguration(const TlsFiles& files)
{
    const auto certificatePem = contents(files.certificatePath);
    if (!certificatePem)
        return std::unexpected(certificatePem.error());
    const auto keyPem = contents(files.keyPath);
    if (!keyPem)
        return std::unexpected(keyPem.error());
    const auto chain = QSslCertificate::fromData(*certificatePem, QSsl::Pem);
    if (chain.isEmpty())
        return failure(
            Kind::Invalid, u"%1 holds no certificate in PEM format"_s.arg(files.certificatePath));
    for (const auto algorithm : { QSsl::Rsa, QSsl::Ec }) {
        const QSslKey key(*keyPem, algorithm);
        if (key.isNull())
            continue;
        auto configuration = QSslConfiguration::defaultConfiguration();
        configuration.setLocalCertificateChain(chain);
        configuration.setPrivateKey(key);
        configuration.setPeerVerifyMode(QSslSocket::VerifyNone);
        configuration.setProtocol(QSsl::TlsV1_2OrLater);
        return configuration;
    }
    return failure(
        Kind::Invalid, u"%1 holds no RSA or EC key without passphrase"_s.arg(files.keyPath));
}

} // namespace isol8::http
