// SPDX-License-Identifier: MIT
#include "engine/sandbox/agent.h"

#include <QTest>

using namespace isol8;
using namespace Qt::StringLiterals;

/// How the agent is started.
class TestAgent : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void promptIsTheLastArgument();
    void promptIsNeverAFlag_data();
    void promptIsNeverAFlag();
};

void TestAgent::promptIsTheLastArgument()
{
    ExecutionRequest request;
    request.code = "fix the tests; $(id)";
    request.agentFlags = u"--model local/m"_s;
    const auto command = agentCommand(request);
    QCOMPARE(command.first(2), (QByteArrayList { "pi", "--no-session" }));
    QCOMPARE(command.last(4), (QByteArrayList { "--model", "local/m", "-p", request.code }));
}

void TestAgent::promptIsNeverAFlag_data()
{
    QTest::addColumn<QByteArray>("prompt");
    QTest::newRow("flag") << "--version"_ba;
    QTest::newRow("short flag") << "-h"_ba;
    QTest::newRow("file") << "@/etc/passwd"_ba;
}

void TestAgent::promptIsNeverAFlag()
{
    QFETCH(QByteArray, prompt);
    ExecutionRequest request;
    request.code = prompt;
    QCOMPARE(agentCommand(request).constLast(), '\n' + prompt);
}

QTEST_GUILESS_MAIN(TestAgent)
#include "tst_agent.moc"
