// SPDX-License-Identifier: MIT
#include "tests/support/remotefixture.h"

#include "app/serve/dockerbackend.h"
#include "engine/images/imagebuilder.h"

#include <QCoroTask>

namespace isol8::tests {

using namespace Qt::StringLiterals;

RemoteFixture::RemoteFixture()
{
    open();
}

RemoteFixture::~RemoteFixture()
{
    close();
}

void RemoteFixture::open()
{
    Settings settings;
    settings.serve.keepSessions = true;
    settings.serve.drain = {};
    const auto images = std::make_shared<ImageBuilder>(m_client, ImageSettings {});
    m_service = std::make_shared<serve::Service>(settings,
        serve::dockerBackend(m_engine, m_client, images),
        std::make_shared<serve::Authenticator>("master", nullptr));
    m_server = std::make_unique<serve::Server>(m_service);
    (void)QCoro::waitFor(m_server->adoptSessions());
    if (const auto listening = m_server->listen({}); !listening)
        qFatal("%s", qPrintable(listening.error().message));
    const auto address = remote::parseServerAddress(u"http://127.0.0.1:%1"_s.arg(m_server->port()));
    m_remote = std::make_unique<RemoteEngine>(*address, u"master"_s);
}

void RemoteFixture::close()
{
    (void)QCoro::waitFor(m_remote->shutdown());
    (void)QCoro::waitFor(m_server->shutdown());
    m_server.reset();
    m_service.reset();
}

void RemoteFixture::restart()
{
    close();
    EngineFixture::restart();
    open();
}

} // namespace isol8::tests
