// SPDX-License-Identifier: MIT
#include "tests/live/enginetest.h"

#include "tests/support/remotefixture.h"

#include <QCoroTask>

namespace isol8::tests {

EngineTest::Session::Session(EngineTest& theTest, const QString& name)
    : test(theTest)
    , id(sessionNamed(name))
{
}

EngineTest::Session::~Session()
{
    (void)QCoro::waitFor(test.engine().stopSession(id));
}

Result<ExecutionResult> EngineTest::bash(const QByteArray& code, const QString& sessionId)
{
    return fixture().run(requestOf(Runtime::Bash, code), {}, sessionId);
}

void EngineTest::initTestCase_data()
{
    QTest::addColumn<bool>("isRemote");
    QTest::newRow("docker") << false;
    QTest::newRow("remote") << true;
}

void EngineTest::init()
{
    QFETCH_GLOBAL(bool, isRemote);
    auto& fixture = isRemote ? m_remote : m_docker;
    if (!fixture && isRemote)
        fixture = std::make_unique<RemoteFixture>();
    else if (!fixture)
        fixture = std::make_unique<EngineFixture>();
    m_current = fixture.get();
}

void EngineTest::cleanup()
{
    QVERIFY(m_current->isNothingLeft());
}

void EngineTest::cleanupTestCase()
{
    m_remote.reset();
    m_docker.reset();
}

} // namespace isol8::tests
