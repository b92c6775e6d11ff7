// SPDX-License-Identifier: MIT
#include "engine/sandbox/agent.h"

#include <QTest>

using namespace isol8;
using namespace Qt::StringLiterals;

/// How the agent is started.
class TestAgent : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void splitsWords_data();
    void splitsWords();
    void refusesOpenQuotes_data();
    void refusesOpenQuotes();
    void promptIsTheLastArgument();
    void promptIsNeverAFlag_data();
    void promptIsNeverAFlag();
};

void TestAgent::splitsWords_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QStringList>("words");
    QTest::newRow("nothing") << u"  "_s << QStringList();
    QTest::newRow("words") << u" --model  a/b\t--thinking low\n"_s
                           << QStringList { u"--model"_s, u"a/b"_s, u"--thinking"_s, u"low"_s };
    QTest::newRow("quotes") << uR"(--x "a b" 'c "d' e"f"'g')"_s
                            << QStringList { u"--x"_s, u"a b"_s, u"c \"d"_s, u"efg"_s };
    QTest::newRow("empty words") << uR"('' "")"_s << QStringList { QString(), QString() };
    QTest::newRow("backslashes") << uR"(a\ b "c\"d" 'e\f' g\)"_s
                                 << QStringList { u"a b"_s, u"c\"d"_s, u"e\\f"_s, u"g\\"_s };
    QTest::newRow("nothing is expanded")
        << u"$HOME `id` * ; | >x"_s
        << QStringList { u"$HOME"_s, u"`id`"_s, u"*"_s, u";"_s, u"|"_s, u">x"_s };
}

void TestAgent::splitsWords()
{
    QFETCH(QString, text);
    const auto words = splitWords(text);
    QVERIFY(words);
    QTEST(*words, "words");
}

void TestAgent::refusesOpenQuotes_data()
{
    QTest::addColumn<QString>("text");
    QTest::newRow("double") << u"--model \"a"_s;
    QTest::newRow("single") << u"it's"_s;
}

void TestAgent::refusesOpenQuotes()
{
    QFETCH(QString, text);
    QVERIFY(!splitWords(text));
    ExecutionRequest request;
    request.agentFlags = text;
    const auto command = agentCommand(request);
    QVERIFY(!command);
    QCOMPARE(command.error().kind, Kind::Invalid);
}

void TestAgent::promptIsTheLastArgument()
{
    ExecutionRequest request;
    request.code = "fix the tests; $(id)";
    request.agentFlags = u"--model local/m"_s;
    const auto command = agentCommand(request);
    QVERIFY(command);
    QCOMPARE(command->first(2), (QByteArrayList { "pi", "--no-session" }));
    QCOMPARE(command->last(4), (QByteArrayList { "--model", "local/m", "-p", request.code }));
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
    QCOMPARE(agentCommand(request)->constLast(), '\n' + prompt);
}

QTEST_GUILESS_MAIN(TestAgent)
#include "tst_agent.moc"
