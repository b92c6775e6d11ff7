// SPDX-License-Identifier: MIT
#pragma once

#include "fakeserver.h"

#include "engine/remote/remoteengine.h"

#include <QTest>

namespace isol8::remote {

using namespace Qt::StringLiterals;

inline constexpr int generous = 60'000;

/// A run on a fake server, and what came of it.
struct RunFixture {
    FakeServer server;
    RemoteEngine engine { parseServerAddress(server.url()).value(), u"key"_s };
    ExecutionRequest request;
    ExecutionOptions options;
    QString sessionId;
    std::unique_ptr<Run> run;
    QByteArray out;
    QByteArray err;
    QList<Result<ExecutionResult>> results;

    RunFixture() { request.code = "print(1)"; }

    void start()
    {
        run = engine.start(request, options, sessionId);
        watch();
    }
    void watch()
    {
        QObject::connect(run.get(), &Run::outputReceived, run.get(),
            [this](Channel channel, const QByteArray& bytes) {
                (channel == Channel::Stdout ? out : err) += bytes;
            });
        QObject::connect(run.get(), &Run::finished, run.get(),
            [this](const auto& result) { results << result; });
    }
    [[nodiscard]] bool waitForEnd()
    {
        return QTest::qWaitFor([this] { return !results.isEmpty(); }, generous);
    }
    [[nodiscard]] const ExecutionResult& result() const { return results.first().value(); }
    [[nodiscard]] const Error& error() const { return results.first().error(); }

    /// @p speak is called once the execution has come, by WebSocket.
    void onExecute(const std::function<void(QWebSocket&)>& speak)
    {
        server.onMessage = [speak](QWebSocket& socket, const QJsonObject& message) {
            if (message.value(u"type"_s) == u"execute"_s)
                speak(socket);
        };
    }
    /// The same by POST.
    void onPost(const std::function<void(QTcpSocket&)>& speak)
    {
        server.onRequest = [speak](QTcpSocket& socket, const FakeRequest& request) {
            if (request.target != "/execute/stream")
                return false;
            speak(socket);
            return true;
        };
    }
};

[[nodiscard]] inline QJsonObject exitOf(const QString& code, const QString& id = {})
{
    auto exit = makeEvent(u"exit"_s, code);
    if (!id.isEmpty())
        exit.insert(u"executionId"_s, id);
    return exit;
}

} // namespace isol8::remote
