// SPDX-License-Identifier: MIT
#include "app/cli/credentials.h"

#include "engine/core/jsonreader.h"
#include "engine/core/smallfile.h"
#include "engine/core/strictjson.h"

#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QTimeZone>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace isol8::cli {

using namespace Qt::StringLiterals;

namespace {

constexpr qint64 maxFileBytes = 1 << 20;

std::unexpected<Error> systemFailure(const QString& what, const QString& path)
{
    return failure(Kind::Internal,
        u"cannot %1 %2: %3"_s.arg(what, path, QString::fromLocal8Bit(std::strerror(errno))));
}

/// False when there is no file. What is refused here is never read nor replaced.
Result<bool> checkFile(const QString& path)
{
    struct stat status {};
    if (::lstat(QFile::encodeName(path).constData(), &status) != 0) {
        if (errno == ENOENT)
            return false;
        return systemFailure(u"look at"_s, path);
    }
    if (S_ISLNK(status.st_mode))
        return failure(Kind::Denied,
            u"%1 is a symbolic link, which isol8 does not follow: remove it"_s.arg(path));
    if (!S_ISREG(status.st_mode))
        return failure(Kind::Denied, u"%1 is not a file: remove it"_s.arg(path));
    if (status.st_uid != ::geteuid())
        return failure(Kind::Denied, u"%1 belongs to somebody else: remove it"_s.arg(path));
    if ((status.st_mode & 077) != 0)
        return failure(Kind::Denied,
            u"%1 can be used by others (mode %2), and so its tokens may be known: "
            "remove it and log in again, or `chmod 600` it"_s.arg(
                path, QString::number(status.st_mode & 07777, 8)));
    return true;
}

Result<Credential> credentialFromJson(const QJsonObject& object, const QString& origin)
{
    JsonReader reader(object, u"servers[\"%1\"]"_s.arg(origin), Kind::Invalid);
    Credential credential;
    QString expires;
    reader.require(u"token"_s);
    reader.read(u"token"_s, credential.token);
    reader.read(u"keyId"_s, credential.keyId);
    reader.read(u"expiresAt"_s, expires);
    if (!expires.isEmpty()) {
        credential.expires = QDateTime::fromString(expires, Qt::ISODateWithMs).toUTC();
        // Better no token than one that never ends.
        if (!credential.expires.isValid())
            reader.refuse(u"expiresAt"_s, u"times in ISO 8601"_s);
    }
    if (reader.error())
        return std::unexpected(*reader.error());
    return credential;
}

QJsonObject toJson(const Credential& credential)
{
    QJsonObject object { { u"token"_s, credential.token } };
    if (!credential.keyId.isEmpty())
        object.insert(u"keyId"_s, credential.keyId);
    if (credential.expires.isValid())
        object.insert(u"expiresAt"_s, credential.expires.toUTC().toString(Qt::ISODateWithMs));
    return object;
}

bool writeWhole(int descriptor, const QByteArray& bytes)
{
    qsizetype written = 0;
    while (written < bytes.size()) {
        const auto count
            = ::write(descriptor, bytes.constData() + written, size_t(bytes.size() - written));
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return false;
        written += count;
    }
    return ::fsync(descriptor) == 0;
}

} // namespace

CredentialStore::CredentialStore(const QString& home)
    : m_path(home + "/.isol8/credentials.json"_L1)
{
}

Result<QMap<QString, Credential>> CredentialStore::all() const
{
    QMap<QString, Credential> credentials;
    const auto isThere = checkFile(m_path);
    if (!isThere)
        return std::unexpected(isThere.error());
    if (!*isThere)
        return credentials;
    const auto text = readSmallFile(m_path, maxFileBytes);
    if (!text)
        return std::unexpected(text.error());
    const auto damaged = [this](const Error& error) {
        return failure(Kind::Invalid,
            u"%1 is damaged (%2): `isol8 logout` removes it, then log in again"_s.arg(
                m_path, error.message));
    };
    const auto object = parseJsonObject(*text);
    if (!object)
        return damaged(object.error());
    const auto servers = object->value(u"servers"_s).toObject();
    for (const auto& origin : servers.keys()) {
        const auto credential = credentialFromJson(servers[origin].toObject(), origin);
        if (!credential)
            return damaged({ Kind::Invalid, u"entry of %1"_s.arg(origin) });
        credentials.insert(origin, *credential);
    }
    return credentials;
}

Result<std::optional<Credential>> CredentialStore::find(
    const QString& origin, const QDateTime& now) const
{
    const auto credentials = all();
    if (!credentials)
        return std::unexpected(credentials.error());
    const auto found = credentials->constFind(origin);
    if (found == credentials->constEnd() || (found->expires.isValid() && found->expires <= now))
        return std::nullopt;
    return *found;
}

Result<> CredentialStore::save(const QString& origin, const Credential& credential) const
{
    auto credentials = all();
    if (!credentials)
        return std::unexpected(credentials.error());
    credentials->insert(origin, credential);
    return write(*credentials);
}

Result<bool> CredentialStore::remove(const QString& origin) const
{
    auto credentials = all();
    if (!credentials)
        return std::unexpected(credentials.error());
    if (credentials->remove(origin) == 0)
        return false;
    if (auto written = write(*credentials); !written)
        return std::unexpected(written.error());
    return true;
}

Result<bool> CredentialStore::clear() const
{
    // Of a link only the link goes.
    if (::unlink(QFile::encodeName(m_path).constData()) == 0)
        return true;
    if (errno == ENOENT)
        return false;
    return systemFailure(u"remove"_s, m_path);
}

Result<> CredentialStore::write(const QMap<QString, Credential>& credentials) const
{
    QJsonObject servers;
    for (const auto& [origin, credential] : credentials.asKeyValueRange())
        servers.insert(origin, toJson(credential));
    const auto text = QJsonDocument(QJsonObject { { u"servers"_s, servers } }).toJson();

    const auto directory = QFile::encodeName(QFileInfo(m_path).path());
    if (::mkdir(directory.constData(), 0700) != 0 && errno != EEXIST)
        return systemFailure(u"make"_s, QFileInfo(m_path).path());
    // mkstemp makes it 0600 whatever the umask is; QSaveFile would not, and would follow a link.
    auto temporary = directory + "/.credentials.XXXXXX";
    const int descriptor = ::mkostemp(temporary.data(), O_CLOEXEC);
    if (descriptor < 0)
        return systemFailure(u"write"_s, m_path);
    const bool isWritten = writeWhole(descriptor, text);
    const int problem = errno;
    ::close(descriptor);
    if (isWritten && ::rename(temporary.constData(), QFile::encodeName(m_path).constData()) == 0)
        return {};
    if (!isWritten)
        errno = problem;
    auto failed = systemFailure(u"write"_s, m_path);
    ::unlink(temporary.constData());
    return failed;
}

} // namespace isol8::cli
