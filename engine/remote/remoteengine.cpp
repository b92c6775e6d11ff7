// SPDX-License-Identifier: MIT
#include "engine/remote/remoteengine.h"

#include "engine/core/names.h"
#include "engine/core/validation.h"
#include "engine/remote/connection.h"
#include "engine/remote/failures.h"
#include "engine/remote/remoteresult.h"
#include "engine/remote/remoterun.h"

#include <algorithm>

namespace isol8 {

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using remote::Connection;
using remote::HttpCall;

namespace {

constexpr auto uploadLimit = 300s;

QString encoded(const QString& text)
{
    return QString::fromLatin1(QUrl::toPercentEncoding(text));
}

/// Ends the calls of an engine with it.
Task<QJsonObject> call(std::shared_ptr<Connection> connection, HttpCall call)
{
    return remote::perform(connection, std::move(call), connection->closing());
}

/// A value that the server's answer must have; what is wrong with it names the server.
template <typename Value>
Result<Value> readAs(const Connection& connection, const QJsonObject& object,
    Result<Value> (*read)(const QJsonObject&))
{
    auto value = read(object);
    if (!value)
        return std::unexpected(remote::notIsol8(connection.address(), value.error().message));
    return value;
}

Result<HttpCall> fileCall(
    const QByteArray& verb, const QString& where, const QString& sessionId, const QString& path)
{
    if (const auto valid = checkSessionId(sessionId); !valid)
        return std::unexpected(valid.error());
    const auto checked = where == "/files"_L1 ? sandboxDirectory(path) : sandboxPath(path);
    if (!checked)
        return std::unexpected(checked.error());
    HttpCall call;
    call.verb = verb;
    call.path = where;
    call.query.addQueryItem(u"sessionId"_s, sessionId);
    call.query.addQueryItem(u"path"_s, encoded(*checked));
    return call;
}

/// Servers of 0.20 have no such route, and their 404 sounds like a missing file.
Error explained(Error error)
{
    if (error.httpStatus == 404 || error.httpStatus == 405)
        error.message += u" (servers of isol8 0.20 cannot list and remove files)"_s;
    return error;
}

Task<QList<SessionInfo>> listSessions(std::shared_ptr<Connection> connection)
{
    HttpCall wanted;
    wanted.path = u"/sessions"_s;
    const auto object = co_await call(connection, wanted);
    if (!object)
        co_return std::unexpected(object.error());
    co_return readAs(*connection, *object, remote::sessionsFromJson);
}

Task<bool> stop(std::shared_ptr<Connection> connection, QString sessionId)
{
    if (const auto valid = checkSessionId(sessionId); !valid)
        co_return std::unexpected(valid.error());
    // DELETE says nothing about whether there was one.
    const auto sessions = co_await listSessions(connection);
    if (!sessions)
        co_return std::unexpected(sessions.error());
    const bool wasThere = std::ranges::contains(*sessions, sessionId, &SessionInfo::id);
    HttpCall wanted;
    wanted.verb = "DELETE";
    wanted.path = u"/session/"_s + sessionId;
    const auto stopped = co_await call(connection, wanted);
    if (!stopped)
        co_return std::unexpected(stopped.error());
    co_return wasThere;
}

Task<> put(std::shared_ptr<Connection> connection, QString sessionId, QString path,
    QByteArray content, Transfer transfer)
{
    const auto checked = fileCall("POST", u"/file"_s, sessionId, path);
    if (!checked)
        co_return std::unexpected(checked.error());
    HttpCall wanted = *checked;
    wanted.body = { { u"sessionId"_s, sessionId }, { u"path"_s, *sandboxPath(path) },
        { u"content"_s, QString::fromLatin1(content.toBase64()) } };
    wanted.query.clear();
    wanted.limit = uploadLimit;
    wanted.progress = transfer.progress;
    const auto done = co_await remote::perform(connection, wanted, transfer.cancel);
    if (!done)
        co_return std::unexpected(done.error());
    co_return {};
}

Task<QByteArray> fetch(
    std::shared_ptr<Connection> connection, QString sessionId, QString path, Transfer transfer)
{
    const auto checked = fileCall("GET", u"/file"_s, sessionId, path);
    if (!checked)
        co_return std::unexpected(checked.error());
    co_return co_await remote::fetchSessionFile(
        connection, sessionId, *sandboxPath(path), transfer);
}

Task<QList<FileEntry>> list(std::shared_ptr<Connection> connection, QString sessionId, QString path)
{
    const auto wanted = fileCall("GET", u"/files"_s, sessionId, path);
    if (!wanted)
        co_return std::unexpected(wanted.error());
    const auto object = co_await call(connection, *wanted);
    if (!object)
        co_return std::unexpected(explained(object.error()));
    co_return readAs(*connection, *object, remote::filesFromJson);
}

Task<> remove(std::shared_ptr<Connection> connection, QString sessionId, QString path)
{
    const auto wanted = fileCall("DELETE", u"/file"_s, sessionId, path);
    if (!wanted)
        co_return std::unexpected(wanted.error());
    const auto done = co_await call(connection, *wanted);
    if (!done)
        co_return std::unexpected(explained(done.error()));
    co_return {};
}

/// Servers make the folders of a file that is put, and removing it leaves them.
Task<> makeFolder(std::shared_ptr<Connection> connection, QString sessionId, QString path)
{
    const auto placeholder = path + u"/.isol8-new-folder"_s;
    const auto made = co_await put(connection, sessionId, placeholder, {}, {});
    if (!made)
        co_return std::unexpected(made.error());
    co_return co_await remove(connection, sessionId, placeholder);
}

/// Servers cannot rename, so a file is copied; folders are refused by the first step.
Task<> renamed(std::shared_ptr<Connection> connection, QString sessionId, QString from, QString to)
{
    if (sandboxPath(from) == sandboxPath(to))
        co_return Result<> {};
    const auto content = co_await fetch(connection, sessionId, from, {});
    if (!content)
        co_return std::unexpected(content.error());
    const auto copied = co_await put(connection, sessionId, to, *content, {});
    if (!copied)
        co_return std::unexpected(copied.error());
    co_return co_await remove(connection, sessionId, from);
}

Task<remote::Login> login(
    std::shared_ptr<Connection> connection, QString name, std::chrono::milliseconds timeToLive)
{
    HttpCall wanted;
    wanted.verb = "POST";
    wanted.path = u"/auth/login"_s;
    wanted.body = { { u"ttlMs"_s, qint64(timeToLive.count()) } };
    if (!name.isEmpty())
        wanted.body.insert(u"name"_s, name);
    const auto object = co_await call(connection, wanted);
    if (!object)
        co_return std::unexpected(object.error());
    co_return readAs(*connection, *object, remote::loginFromJson);
}

Task<bool> revoke(std::shared_ptr<Connection> connection, QString keyId)
{
    HttpCall wanted;
    wanted.verb = "DELETE";
    wanted.path = u"/auth/keys/"_s + encoded(keyId);
    const auto done = co_await call(connection, wanted);
    if (!done && done.error().kind == Kind::NotFound)
        co_return false;
    if (!done)
        co_return std::unexpected(done.error());
    co_return true;
}

} // namespace

RemoteEngine::RemoteEngine(remote::ServerAddress address, const QString& key)
    : m_connection(std::make_shared<Connection>(std::move(address), key))
{
}

RemoteEngine::~RemoteEngine()
{
    m_connection->close();
}

std::unique_ptr<Run> RemoteEngine::start(
    ExecutionRequest request, ExecutionOptions options, QString sessionId)
{
    return std::make_unique<remote::RemoteRun>(
        m_connection, std::move(request), std::move(options), std::move(sessionId));
}

Task<QList<SessionInfo>> RemoteEngine::sessions()
{
    return listSessions(m_connection);
}

Task<bool> RemoteEngine::stopSession(QString sessionId)
{
    return stop(m_connection, std::move(sessionId));
}

Task<> RemoteEngine::putFile(QString sessionId, QString path, QByteArray content, Transfer transfer)
{
    return put(m_connection, std::move(sessionId), std::move(path), std::move(content),
        std::move(transfer));
}

Task<QByteArray> RemoteEngine::fetchFile(QString sessionId, QString path, Transfer transfer)
{
    return fetch(m_connection, std::move(sessionId), std::move(path), std::move(transfer));
}

Task<QList<FileEntry>> RemoteEngine::listFiles(QString sessionId, QString path)
{
    return list(m_connection, std::move(sessionId), std::move(path));
}

Task<> RemoteEngine::removeFile(QString sessionId, QString path)
{
    return remove(m_connection, std::move(sessionId), std::move(path));
}

Task<> RemoteEngine::makeDirectory(QString sessionId, QString path)
{
    return makeFolder(m_connection, std::move(sessionId), std::move(path));
}

Task<> RemoteEngine::renameFile(QString sessionId, QString from, QString to)
{
    return renamed(m_connection, std::move(sessionId), std::move(from), std::move(to));
}

Task<> RemoteEngine::shutdown()
{
    m_connection->close();
    co_return {};
}

Task<remote::Login> RemoteEngine::logIn(QString name, std::chrono::milliseconds timeToLive)
{
    return login(m_connection, std::move(name), timeToLive);
}

Task<bool> RemoteEngine::revokeKey(QString keyId)
{
    return revoke(m_connection, std::move(keyId));
}

} // namespace isol8
