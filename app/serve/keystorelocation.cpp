// SPDX-License-Identifier: MIT
#include "app/serve/keystorelocation.h"

#include <QDir>
#include <QUrl>
#include <QUrlQuery>

namespace isol8::serve {

using namespace Qt::StringLiterals;

namespace {

std::unexpected<Error> invalid(const QString& what)
{
    return failure(Kind::Invalid, u"the key database's address is wrong: %1"_s.arg(what));
}

/// Texts that go into a driver's list of options, which has no quoting.
bool isPlain(const QString& text)
{
    return std::ranges::all_of(
        text, [](QChar each) { return each.isLetterOrNumber() || u"/._-+@~"_s.contains(each); });
}

Result<SqlDialect> dialectOf(const QString& scheme)
{
    if (scheme == "postgres"_L1 || scheme == "postgresql"_L1)
        return SqlDialect::Postgres;
    if (scheme == "mysql"_L1 || scheme == "mariadb"_L1)
        return SqlDialect::MySql;
    return invalid(
        u"\"%1://\" is none of postgres://, mysql:// and a file's path"_s.arg(scheme.left(32)));
}

Result<> readQuery(const QUrl& url, KeyStoreLocation& location)
{
    static const QStringList sslModes { u"disable"_s, u"allow"_s, u"prefer"_s, u"require"_s,
        u"verify-ca"_s, u"verify-full"_s };
    const auto items = QUrlQuery(url).queryItems(QUrl::FullyDecoded);
    for (const auto& [name, value] : items) {
        if (name == "socket"_L1 && isPlain(value)) {
            if (location.dialect == SqlDialect::Postgres)
                location.host = value;
            else
                location.socketPath = value;
        } else if (name == "sslmode"_L1 && location.dialect == SqlDialect::Postgres
            && sslModes.contains(value)) {
            location.sslMode = value;
        } else {
            return invalid(
                u"the option \"%1\" is unknown or has no such value"_s.arg(name.left(32)));
        }
    }
    return {};
}

} // namespace

Result<KeyStoreLocation> keyStoreLocation(const QString& text)
{
    KeyStoreLocation location;
    if (text.isEmpty() || text.contains(QChar::Null))
        return invalid(u"it is empty or has a NUL in it"_s);
    const auto schemeEnd = text.indexOf("://"_L1);
    if (schemeEnd < 0) {
        location.path = QDir::cleanPath(QDir::current().absoluteFilePath(text));
        return location;
    }
    const auto dialect = dialectOf(text.left(schemeEnd));
    if (!dialect)
        return std::unexpected(dialect.error());
    location.dialect = *dialect;
    const QUrl url(text, QUrl::StrictMode);
    if (!url.isValid())
        return invalid(u"it is no URL; special characters of the password are written as %XX"_s);
    location.host = url.host(QUrl::FullyDecoded);
    location.port = url.port(0);
    location.user = url.userName(QUrl::FullyDecoded);
    location.password = url.password(QUrl::FullyDecoded);
    location.database = url.path(QUrl::FullyDecoded).mid(1);
    if (location.database.isEmpty() || location.database.contains(u'/'))
        return invalid(u"the database's name is missing at its end"_s);
    if (const auto read = readQuery(url, location); !read)
        return std::unexpected(read.error());
    if (location.host.isEmpty() && location.socketPath.isEmpty())
        return invalid(u"the host is missing"_s);
    return location;
}

} // namespace isol8::serve
