// SPDX-License-Identifier: MIT
#include "tests/abuse/engineabusetest.h"

namespace isol8::tests {

using namespace Qt::StringLiterals;

EngineAbuseTest::EngineAbuseTest()
    : AbuseTest([] { return std::make_unique<EngineSubject>(); })
{
}

Result<ExecutionResult> EngineAbuseTest::run(
    ExecutionRequest request, const ExecutionOptions& options)
{
    request.tenant = u"attacker"_s;
    // Scripts make many attempts; on a busy machine that takes.
    if (!request.timeout && options.timeout == ExecutionOptions().timeout)
        request.timeout = std::chrono::minutes(2);
    auto result = fixture().run(request, options);
    if (!result)
        return result;
    if (const auto lie = untruth(*result); !lie.isEmpty())
        return failure(Kind::Internal, u"untrue: "_s + QString::fromUtf8(lie));
    return result;
}

QByteArray EngineAbuseTest::scriptOf(const QStringList& ids)
{
    auto code = testData(u"abuse/prelude.py"_s);
    for (const auto& id : ids)
        code += testData(u"abuse/%1.py"_s.arg(id)) + '\n';
    return code + "print('all attempted')\n";
}

void EngineAbuseTest::verifyAttempts(const QByteArray& output, const QByteArray& errors)
{
    QVERIFY2(output.contains("\nall attempted"), (output.right(500) + errors).constData());
    QByteArray bad;
    for (const auto& line : output.split('\n')) {
        if (line.startsWith("BAD "))
            bad += line + '\n';
    }
    QVERIFY2(bad.isEmpty(), bad.constData());
}

void EngineAbuseTest::verifyScript(const QString& id, const ExecutionOptions& options)
{
    const auto result = python(scriptOf({ id }), options);
    RUN_OR_FAIL(result);
    QVERIFY2(result->exitCode == 0,
        (QByteArray::number(result->exitCode) + ' ' + result->standardOutput.right(500)
            + result->standardError)
            .constData());
    verifyAttempts(result->standardOutput, result->standardError);
}

void EngineAbuseTest::script(World&)
{
    verifyScript(QString::fromLatin1(QTest::currentDataTag()).section(u' ', 0, 0));
}

void EngineAbuseTest::runs(World& world)
{
    const auto result = bash("echo hi " + world.marker);
    RUN_OR_FAIL(result);
    QCOMPARE(result->exitCode, 0);
    QCOMPARE(result->standardOutput, "hi " + world.marker + '\n');
}

} // namespace isol8::tests
