// SPDX-License-Identifier: MIT
#include "engine/http/listener.h"

#include <QFile>
#include <QSocketNotifier>
#include <QSslCertificate>
#include <QSslKey>
#include <QSslSocket>
#include <QTcpSocket>

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace isol8::http {

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

/// Without free descriptors accepting stops; some will be free again.
constexpr auto retryInterval = 200ms;
/// Connections that are accepted before others have their turn.
constexpr int acceptBatch = 64;

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

/// Whether a handshake can begin. Qt has no other way to tell that a key is not the certificate's.
bool isUsable(const QSslConfiguration& configuration)
{
    int ends[2] = { -1, -1 };
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
        return true;
    QSslSocket socket;
    socket.setSocketDescriptor(ends[0]);
    socket.setSslConfiguration(configuration);
    socket.startServerEncryption();
    const bool hasBegun = socket.error() == QAbstractSocket::UnknownSocketError;
    socket.abort();
    ::close(ends[1]);
    return hasBegun;
}

} // namespace

TcpListener::TcpListener(Accepted accepted)
    : m_accepted(std::move(accepted))
{
    connect(this, &QTcpServer::acceptError, this,
        [this] { QTimer::singleShot(retryInterval, this, &QTcpServer::resumeAccepting); });
}

LocalListener::LocalListener(Accepted accepted)
    : m_accepted(std::move(accepted))
{
    m_retry.setSingleShot(true);
    connect(&m_retry, &QTimer::timeout, this, [this] { m_notifier->setEnabled(true); });
}

LocalListener::~LocalListener()
{
    m_notifier.reset();
    if (m_descriptor >= 0)
        ::close(m_descriptor);
    struct stat entry {};
    if (!m_ownPath.isEmpty() && ::lstat(m_ownPath.constData(), &entry) == 0
        && entry.st_ino == m_inode)
        ::unlink(m_ownPath.constData());
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
    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    // The file gets the mode that the socket has before, so it is never open to others.
    struct stat entry {};
    const bool isBound = descriptor >= 0 && ::fchmod(descriptor, S_IRUSR | S_IWUSR) == 0
        && ::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0
        && ::lstat(address.sun_path, &entry) == 0 && ::listen(descriptor, SOMAXCONN) == 0;
    if (!isBound) {
        const int problem = errno;
        if (descriptor >= 0)
            ::close(descriptor);
        return failure(problem == EACCES || problem == EPERM ? Kind::Denied : Kind::Invalid,
            u"cannot listen on %1: %2"_s.arg(path, qt_error_string(problem)));
    }
    m_ownPath = name;
    m_inode = entry.st_ino;
    take(descriptor);
    return {};
}

void LocalListener::take(int descriptor)
{
    m_descriptor = descriptor;
    // One from elsewhere may wait in accept4(), and everything else with it.
    ::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) | O_NONBLOCK);
    m_notifier = std::make_unique<QSocketNotifier>(descriptor, QSocketNotifier::Read);
    connect(m_notifier.get(), &QSocketNotifier::activated, this, &LocalListener::accept);
}

void LocalListener::accept()
{
    for (int i = 0; i < acceptBatch; ++i) {
        const int accepted
            = ::accept4(m_descriptor, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted >= 0) {
            m_accepted(accepted);
        } else if (errno != EINTR && errno != ECONNABORTED) {
            if (errno != EAGAIN) {
                m_notifier->setEnabled(false);
                m_retry.start(retryInterval);
            }
            return;
        }
    }
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
        if (!isUsable(configuration))
            return failure(Kind::Invalid,
                u"the key in %1 is not that of the certificate in %2"_s.arg(
                    files.keyPath, files.certificatePath));
        return configuration;
    }
    return failure(
        Kind::Invalid, u"%1 holds no RSA or EC key without passphrase"_s.arg(files.keyPath));
}

} // namespace isol8::http
