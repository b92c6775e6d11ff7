// SPDX-License-Identifier: MIT
#include "app/cli/sessioncommand.h"

#include "app/cli/context.h"
#include "app/cli/target.h"
#include "engine/core/escape.h"
#include "engine/core/names.h"
#include "engine/sandbox/dockerengine.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

namespace isol8::cli {

using namespace Qt::StringLiterals;

namespace {

QByteArray asJson(const QList<SessionInfo>& sessions)
{
    QJsonArray array;
    for (const auto& session : sessions) {
        QJsonObject object { { u"id"_s, session.id },
            { u"runtime"_s, runtimeName(session.runtime) }, { u"isActive"_s, session.isActive } };
        if (!session.containerId.isEmpty())
            object.insert(u"containerId"_s, session.containerId);
        if (session.created.isValid())
            object.insert(u"created"_s, session.created.toUTC().toString(Qt::ISODate));
        if (session.lastUsed.isValid())
            object.insert(u"lastUsed"_s, session.lastUsed.toUTC().toString(Qt::ISODate));
        array << object;
    }
    return QJsonDocument(QJsonObject { { u"sessions"_s, array } }).toJson();
}

/// One line; what a server does not tell is left out.
QString asLine(const SessionInfo& session)
{
    QStringList parts { printable(session.id), runtimeName(session.runtime),
        session.isActive ? u"running"_s : u"idle"_s };
    if (!session.containerId.isEmpty())
        parts << printable(session.containerId.left(12));
    if (session.created.isValid())
        parts << u"since "_s + session.created.toLocalTime().toString(Qt::ISODate);
    if (session.lastUsed.isValid())
        parts << u"last used "_s + session.lastUsed.toLocalTime().toString(Qt::ISODate);
    return parts.join(u"  "_s);
}

QCoro::Task<int> list(std::shared_ptr<Engine> engine, bool isJson, Console* console)
{
    const auto sessions = co_await engine->sessions();
    if (!sessions) {
        console->error(sessions.error());
        co_return 1;
    }
    if (isJson) {
        console->printBytes(asJson(*sessions));
        co_return 0;
    }
    for (const auto& session : *sessions)
        console->print(asLine(session));
    if (sessions->isEmpty())
        console->info(u"No sessions"_s);
    co_return 0;
}

QCoro::Task<int> stop(std::shared_ptr<Engine> engine, QString id, bool isJson, Console* console)
{
    const auto stopped = co_await engine->stopSession(id);
    if (!stopped) {
        console->error(stopped.error());
        co_return 1;
    }
    if (!*stopped) {
        console->error(u"There is no session %1"_s.arg(id));
        co_return 1;
    }
    if (isJson)
        console->printBytes(
            QJsonDocument(QJsonObject { { u"id"_s, id }, { u"stopped"_s, true } }).toJson());
    else
        console->ok(u"Session %1 stopped"_s.arg(id));
    co_return 0;
}

} // namespace

void SessionCommand::define(OptionSet& options)
{
    auto listing = options.command("list", "List named sessions", m_isList);
    auto stopping = options.command("stop", "Stop a session and remove its files", m_isStop);
    stopping.positional("id", m_id, { "The session", "ID" });
    stopping.setRequired("id");
    for (auto* each : { &listing, &stopping }) {
        each->value(
            "--host", m_host, { "Sessions of this server; default: of this machine", "URL" });
        each->value("--key", m_key, { "Its API key", "KEY", "$ISOL8_API_KEY" });
        each->flag("--json", m_isJson, "Print JSON (default: off)");
    }
}

int SessionCommand::run(Console& console)
{
    if (m_isStop) {
        if (auto valid = checkSessionId(*m_id); !valid) {
            console.error(valid.error());
            return 1;
        }
    }
    std::shared_ptr<Engine> engine;
    if (m_host) {
        const auto target = targetFor(*m_host, m_key, console);
        if (!target)
            return 1;
        engine = remoteEngine(*target);
    } else if (m_key) {
        console.error(u"--key belongs to --host: which server?"_s);
        return 1;
    } else {
        engine = dockerEngine(console);
    }
    if (!engine)
        return 1;
    return runEventLoop(
        m_isStop ? stop(engine, *m_id, m_isJson, &console) : list(engine, m_isJson, &console));
}

} // namespace isol8::cli
