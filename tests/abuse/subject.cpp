// SPDX-License-Identifier: MIT
#include "tests/abuse/subject.h"

#include "tests/app/serve/httpclient.h"

#include <QCoroTask>

namespace isol8::tests {

using namespace Qt::StringLiterals;

namespace {

ServerProcess::Options withKeys(ServerProcess::Options options)
{
    options.arguments << u"--auth-db"_s << u"keys.db"_s;
    return options;
}

QByteArray keyFor(quint16 port, const QString& tenant)
{
    HttpClient master(port, "Bearer master");
    const auto made
        = master.post(u"/auth/keys"_s, { { u"name"_s, tenant }, { u"tenantId"_s, tenant } });
    if (made.status != 201)
        qFatal("no key: %s", made.body.constData());
    return made.json().value(u"key"_s).toString().toLatin1();
}

} // namespace

EngineSubject::EngineSubject(Neighbour neighbour)
{
    if (neighbour == Neighbour::Within)
        return;
    m_beside = std::make_unique<EngineFixture>();
    m_beside->restartWithPool(PoolLimits {});
}

ServerSubject::ServerSubject(ServerProcess::Options options)
    : m_server(withKeys(std::move(options)))
{
    if (!m_server.start())
        qFatal("no server: %s", m_server.log().constData());
    m_attackerKey = keyFor(m_server.port(), u"attacker"_s);
    const auto address = remote::parseServerAddress(u"http://127.0.0.1:%1"_s.arg(m_server.port()));
    m_neighbour = std::make_unique<RemoteEngine>(
        *address, QString::fromLatin1(keyFor(m_server.port(), u"neighbour"_s)));
}

ServerSubject::~ServerSubject()
{
    (void)QCoro::waitFor(m_neighbour->shutdown());
    if (m_server.terminate() != 0)
        qFatal("the server did not end well: %s", m_server.log().constData());
}

QByteArray ServerSubject::spoken()
{
    return m_server.log() + HttpClient(m_server.port(), "Bearer master").get(u"/metrics"_s).body;
}

} // namespace isol8::tests
