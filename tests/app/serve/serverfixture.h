// SPDX-License-Identifier: MIT
#pragma once

#include "app/serve/server.h"
#include "tests/app/serve/fakeengine.h"
#include "tests/app/serve/httpclient.h"

#include <QCoroTask>
#include <QJsonDocument>
#include <QTest>
#include <QWebSocket>

namespace isol8::tests {

using namespace Qt::StringLiterals;
using namespace serve;

inline const QJsonObject oneLiner { { u"code"_s, u"print(1)"_s }, { u"runtime"_s, u"python"_s } };

/// A server over a FakeEngine on a port of its own.
struct ServerFixture {
    explicit ServerFixture(const Settings& settings = {})
    {
        Backend backend;
        backend.engine = engine;
        backend.runtimes = []() -> Task<QList<Backend::RuntimeState>> {
            co_return QList<Backend::RuntimeState> { { Runtime::Python, {}, u"isol8:python"_s, true,
                {} } };
        };
        backend.removeContainers
            = []() -> Task<Backend::Removal> { co_return Backend::Removal { 2, {} }; };
        backend.removeImages
            = []() -> Task<Backend::Removal> { co_return Backend::Removal { 1, {} }; };
        service = std::make_shared<Service>(
            settings, backend, std::make_shared<Authenticator>("master", nullptr));
        server = std::make_unique<Server>(service);
        if (const auto listening = server->listen({}); !listening)
            qFatal("%s", qPrintable(listening.error().message));
        client = std::make_unique<HttpClient>(server->port(), "Bearer master");
    }

    std::shared_ptr<FakeEngine> engine = std::make_shared<FakeEngine>();
    std::shared_ptr<Service> service;
    std::unique_ptr<Server> server;
    std::unique_ptr<HttpClient> client;

    /// The run that was started as the number-th.
    [[nodiscard]] FakeRun* run(size_t number = 0)
    {
        if (!QTest::qWaitFor([&] { return engine->runs.size() > number; }, 60'000))
            return nullptr;
        return engine->runs[number];
    }
};

/// A client of /execute/ws.
struct ServerSocket {
    explicit ServerSocket(ServerFixture& fixture)
    {
        QObject::connect(&socket, &QWebSocket::textMessageReceived, &socket,
            [this](const QString& text) { messages << text; });
        socket.open(fixture.client->request(u"/execute/ws"_s, u"ws"_s));
    }
    [[nodiscard]] bool isOpen()
    {
        return QTest::qWaitFor(
            [this] { return socket.state() == QAbstractSocket::ConnectedState; }, 60'000);
    }
    void send(const QJsonObject& message)
    {
        socket.sendTextMessage(QString::fromUtf8(QJsonDocument(message).toJson()));
    }
    [[nodiscard]] bool isClosed()
    {
        return QTest::qWaitFor(
            [this] { return socket.state() == QAbstractSocket::UnconnectedState; }, 60'000);
    }
    QWebSocket socket;
    QStringList messages;
};

} // namespace isol8::tests
