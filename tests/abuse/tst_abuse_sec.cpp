// SPDX-License-Identifier: MIT
#include "tests/abuse/hoststate.h"
#include "tests/abuse/httpabusetest.h"
#include "tests/app/liveprogram.h"

#include <QCoroTask>
#include <QJsonArray>
#include <QJsonDocument>
#include <QLocalSocket>

#include <csignal>

using namespace isol8;
using namespace isol8::tests;
using namespace Qt::StringLiterals;

/// ABUSE.md, section B5: secrets, on the command line and on a server.
class TestAbuseSec : public HttpAbuseTest {
    Q_OBJECT

private Q_SLOTS:
    void attack_data();
    void attack();

private:
    static const Case<TestAbuseSec> cases[];

    /// `isol8 run --cmd` with secrets S0, S1 and so on.
    [[nodiscard]] ProgramEnd run(
        const QByteArray& command, const QStringList& secrets, const QStringList& more = {}) const;
    [[nodiscard]] static QStringList call(const QByteArray& command, const QStringList& secrets);
    /// What is shown of a program that prints a text, in one write and byte by byte.
    struct Shown {
        QStringList secrets;
        QByteArray text;
        QByteArray shown;
    };
    void verifyShown(const QList<Shown>& texts);

    void everyWayOut(World& world);
    void everyWayOutWithoutSecrets(World& world);
    void oneInAnother(World& world);
    void overlapping(World& world);
    void degenerate(World& world);
    void patterns(World& world);
    void multiByte(World& world);
    void setupPhase(World& world);
    void ownSentences(World& world);
    void encodings(World& world);
    void arguments(World& world);
    void names(World& world);
    void goodNames(World& world);
    void files(World& world);
    void plain(World& world);

    std::unique_ptr<ProgramFixture> m_program;
};

const Case<TestAbuseSec> TestAbuseSec::cases[] {
    { "SEC-01", &TestAbuseSec::everyWayOut, &TestAbuseSec::everyWayOutWithoutSecrets },
    { "SEC-04", &TestAbuseSec::oneInAnother, &TestAbuseSec::plain },
    { "SEC-05", &TestAbuseSec::overlapping, &TestAbuseSec::plain },
    { "SEC-06", &TestAbuseSec::degenerate, &TestAbuseSec::plain },
    { "SEC-07", &TestAbuseSec::patterns, &TestAbuseSec::plain },
    { "SEC-08", &TestAbuseSec::multiByte, &TestAbuseSec::plain },
    { "SEC-11", &TestAbuseSec::setupPhase, &TestAbuseSec::plain },
    { "SEC-12", &TestAbuseSec::ownSentences, &TestAbuseSec::plain },
    { "SEC-13", &TestAbuseSec::encodings, &TestAbuseSec::plain },
    { "SEC-14", &TestAbuseSec::arguments, &TestAbuseSec::plain },
    { "SEC-15", &TestAbuseSec::names, &TestAbuseSec::goodNames },
    { "SEC-17", &TestAbuseSec::files, &TestAbuseSec::plain },
};

namespace {

/// In single quotes of bash.
QByteArray quoted(QByteArray text)
{
    return '\'' + text.replace("'", "'\\''") + '\'';
}

/// All that Docker knows of a container, as it tells it.
QByteArray inspected(const QString& id)
{
    const auto endpoint = docker::resolveEndpoint();
    QLocalSocket socket;
    socket.connectToServer(endpoint ? endpoint->socketPath : QString());
    socket.write("GET /containers/" + id.toLatin1() + "/json HTTP/1.0\r\n\r\n");
    while (socket.waitForReadyRead())
        ;
    return socket.readAll();
}

} // namespace

void TestAbuseSec::attack_data()
{
    addRows<TestAbuseSec>(cases);
}

void TestAbuseSec::attack()
{
    // One home for all: the first command in a new one looks at the guest's volume for seconds.
    if (!m_program)
        m_program = std::make_unique<ProgramFixture>();
    perform<TestAbuseSec>(this, cases);
}

ProgramEnd TestAbuseSec::run(
    const QByteArray& command, const QStringList& secrets, const QStringList& more) const
{
    return m_program->run(call(command, secrets) + more);
}

QStringList TestAbuseSec::call(const QByteArray& command, const QStringList& secrets)
{
    QStringList arguments { u"run"_s, u"--cmd"_s, QString::fromUtf8(command) };
    for (qsizetype i = 0; i < secrets.size(); ++i)
        arguments << u"--secret"_s << u"S%1=%2"_s.arg(i).arg(secrets[i]);
    return arguments;
}

void TestAbuseSec::verifyShown(const QList<Shown>& texts)
{
    QList<QStringList> calls;
    for (const auto& each : texts) {
        calls << call("printf %s " + quoted(each.text)
                + "\nexec python3 -c 'import os,sys\nfor b in os.fsencode(sys.argv[1]): "
                  "os.write(2, "
                  "bytes([b]))' "
                + quoted(each.text),
            each.secrets);
    }
    const auto ends = m_program->runAll(calls);
    for (qsizetype i = 0; i < texts.size(); ++i) {
        QVERIFY2(ends[i].exitCode == 0, ends[i].err.constData());
        QCOMPARE(ends[i].out, texts[i].shown);
        QVERIFY2(ends[i].err.endsWith(texts[i].shown), ends[i].err.constData());
    }
}

void TestAbuseSec::everyWayOut(World& world)
{
    const auto secret = QString::fromLatin1(world.secret);
    const auto command = "printf '%s%s<%s' $S0 $S0 $S0; printf 'x%s' $S0 >&2"_ba;
    const auto shown = "******<***"_ba;
    QList<QStringList> calls;
    for (const auto& more : { QStringList(), QStringList { u"--no-stream"_s },
             QStringList { u"--json"_s }, QStringList { u"--out"_s, m_program->path(u"out"_s) },
             QStringList { u"--host"_s, u"http://127.0.0.1:%1"_s.arg(port()), u"--key"_s,
                 QString::fromLatin1(server().attackerKey()) } })
        calls << call(command, { secret }) + more;
    for (const auto& end : m_program->runAll(calls)) {
        QVERIFY2(end.exitCode == 0, end.err.constData());
        QVERIFY2(end.out.contains(shown), end.out.constData());
        QVERIFY2((end.out + end.err).contains("x***"), end.err.constData());
        QVERIFY2(!(end.out + end.err).contains(world.secret), end.out.constData());
    }
    QCOMPARE(m_program->read(u"out"_s), shown);

    const auto body
        = executeCall(bash(command), { { u"secrets"_s, QJsonObject { { u"S0"_s, secret } } } });
    const auto buffered = ask("POST", "/execute", body);
    QCOMPARE(buffered->status(), 200);
    QVERIFY(buffered->received.contains(shown));
    QVERIFY(!buffered->received.contains(world.secret));
    RawClient stream(port(), rawRequest("POST", "/execute/stream", body, server().attackerKey()));
    QVERIFY(stream.waitFor("\"exit\""));
    QVERIFY2(stream.received.contains("x***"), stream.received.constData());
    QVERIFY(!stream.received.contains(world.secret));
}

void TestAbuseSec::everyWayOutWithoutSecrets(World& world)
{
    const auto end = run("echo " + world.secret, {});
    QCOMPARE(end.out, world.secret + '\n');
}

void TestAbuseSec::oneInAnother(World&)
{
    verifyShown({ { { u"abc123"_s, u"abc123-long"_s }, "<abc123-long|abc123|abc123-lon>",
        "<***|***|***-lon>" } });
}

void TestAbuseSec::overlapping(World&)
{
    verifyShown({ { { u"abcd"_s, u"cdef"_s }, "abcdef abcdabcdef aabcd", "*** ****** a***" } });
}

void TestAbuseSec::degenerate(World&)
{
    // Too short or blank: said once for each, and not masked. An empty one is none.
    const auto end
        = run("printf 'a a * *** \\t'", { QString(), u"a"_s, u"    "_s, u"***"_s, u"*"_s });
    QCOMPARE(end.exitCode, 0);
    QCOMPARE(end.out, "a a * *** \t");
    for (const auto* name : { "S1", "S2", "S3", "S4" })
        QVERIFY2(end.err.contains("The secret "_ba + name + " is too short to be masked"),
            end.err.constData());
    QVERIFY(!end.err.contains("S0"));
    // Equal ones, and many.
    QStringList many;
    QByteArray text;
    QByteArray shown;
    for (int i = 0; i < 200; ++i) {
        many << u"number-%1-of-many"_s.arg(i);
        text += many.last().toLatin1() + '\n';
        shown += "***\n";
    }
    verifyShown(
        { { { u"equal-one"_s, u"equal-one"_s }, "equal-one!", "***!" }, { many, text, shown } });
    // Too large for an environment: refused, and not repeated.
    const QJsonObject options { { u"secrets"_s,
        QJsonObject { { u"S0"_s, QString(1 << 20, u'x') } } } };
    verifyRefused(executeCall(bash("true"), options));
}

void TestAbuseSec::patterns(World&)
{
    QList<Shown> texts;
    for (const auto& secret : { u".*.*"_s, u"$1$2"_s, u"\\\\\\\\"_s, u"%s%n"_s, u"[a-z"_s,
             u"a\"b'c"_s, u"a\tb\tc"_s, u"one1\ntwo2\nthree"_s, u"one1\r\ntwo2"_s })
        texts << Shown { { secret }, "<" + secret.toUtf8() + "> abcd xyz 11", "<***> abcd xyz 11" };
    verifyShown(texts);
    const QJsonObject options { { u"secrets"_s,
        QJsonObject { { u"S0"_s, u"with"_s + QChar(u'\0') + u"nul"_s } } } };
    verifyRefused(executeCall(bash("true"), options));
}

void TestAbuseSec::multiByte(World&)
{
    const auto secret = u"pä$$wörd-密"_s;
    verifyShown({ { { secret }, "x" + secret.toUtf8() + "y", "x***y" } });
    // In another encoding it is other bytes; the manual says so.
    const auto end = run(
        "printf %s \"$S0\" | iconv -f utf-8 -t latin1//TRANSLIT | od -An -tx1", { u"pässwörd"_s });
    QVERIFY2(end.out.contains("70 e4 73"), end.out.constData());
}

void TestAbuseSec::setupPhase(World& world)
{
    const auto secret = QString::fromLatin1(world.secret);
    const auto good = run("echo done", { secret }, { u"--setup"_s, u"env; echo $S0 >&2"_s });
    QCOMPARE(good.exitCode, 0);
    QVERIFY2((good.out + good.err).contains("S0=***"), good.out.constData());
    QVERIFY(!(good.out + good.err).contains(world.secret));
    const auto failing = run("echo never", { secret }, { u"--setup"_s, u"$S0 --flag; exit 3"_s });
    QCOMPARE(failing.exitCode, 3);
    QVERIFY2(failing.err.contains("***: command not found"), failing.err.constData());
    QVERIFY(!(failing.out + failing.err).contains(world.secret));
}

void TestAbuseSec::ownSentences(World& world)
{
    const auto secret = QString::fromLatin1(world.secret);
    const QStringList one { u"-e"_s, u"1"_s };
    QList<QStringList> calls { { secret + u".py"_s },
        one + QStringList { u"--workdir"_s, u"/"_s + secret },
        one + QStringList { u"--image"_s, u"isol8-none:"_s + secret },
        one + QStringList { u"--session-id"_s, u"/"_s + secret },
        one + QStringList { u"--get"_s, secret }, one + QStringList { u"--memory"_s, secret },
        one + QStringList { u"--files"_s, secret }, { u"--"_s + secret } };
    for (auto& arguments : calls)
        arguments = QStringList { u"run"_s } + arguments
            + QStringList { u"--secret"_s, u"S="_s + secret };
    const auto ends = m_program->runAll(calls);
    for (qsizetype i = 0; i < calls.size(); ++i) {
        QVERIFY2(ends[i].exitCode != 0, qPrintable(calls[i].join(u' ')));
        QVERIFY2(ends[i].err.contains("***"), ends[i].err.constData());
        QVERIFY2(!ends[i].err.contains(world.secret), ends[i].err.constData());
    }

    // Of a URL not even stars are shown where a password was.
    const auto url = m_program->run({ u"run"_s, u"--url"_s,
        u"https://user:%1@example.test/a.py"_s.arg(secret), u"--secret"_s, u"S="_s + secret });
    QVERIFY(url.exitCode != 0);
    QVERIFY2(!url.err.contains(world.secret), url.err.constData());

    const QJsonObject secrets { { u"S"_s, secret } };
    const QJsonObject request = bash("true");
    for (const auto& options : { QJsonObject { { u"image"_s, u"isol8:"_s + secret } },
             QJsonObject { { u"network"_s, secret } }, QJsonObject { { u"tmpSize"_s, secret } } }) {
        auto all = options;
        all.insert(u"secrets"_s, secrets);
        for (const auto* path : { "/execute", "/execute/stream" }) {
            const auto answer = ask("POST", path, executeCall(request, all));
            QVERIFY(answer->status() >= 400);
            QVERIFY2(answer->received.contains("***"), answer->received.constData());
            QVERIFY(!answer->received.contains(world.secret));
        }
    }
    for (const auto& member : { u"workdir"_s, u"runtime"_s, u"fileExtension"_s }) {
        auto changed = request;
        changed.insert(member, u"/"_s + secret);
        const auto answer
            = ask("POST", "/execute", executeCall(changed, { { u"secrets"_s, secrets } }));
        QCOMPARE(answer->status(), 400);
        QVERIFY2(!answer->received.contains(world.secret), answer->received.constData());
    }
    const auto missing = ask("POST", "/execute",
        executeCall({ { u"cmd"_s, u"true"_s }, { u"outputPaths"_s, QJsonArray { secret } } },
            { { u"secrets"_s, secrets } }));
    QCOMPARE(missing->status(), 200);
    QVERIFY2(!missing->received.contains(world.secret), missing->received.constData());
}

void TestAbuseSec::encodings(World&)
{
    const auto secret = u"p@ss wörd/77+<\"x\">"_s;
    const auto end = run(R"(exec python3 - <<'END'
import os, base64, html, json, urllib.parse
s = os.environ['S0']; b = s.encode()
for n in range(4):
    print(base64.b64encode(b'<' * n + b).decode())
    print(base64.b64encode(b'<' * n + b + b'and more').decode())
    print(base64.urlsafe_b64encode(b'<' * n + b + b'and more').decode())
print(b.hex()); print(b.hex().upper())
print(urllib.parse.quote(s)); print(urllib.parse.quote(s, safe='')); print(urllib.parse.quote_plus(s))
print(json.dumps(s)); print(json.dumps(s, ensure_ascii=False))
print(html.escape(s)); print(html.escape(s, quote=False))
print('END')
END)",
        { secret });
    QCOMPARE(end.exitCode, 0);
    auto lines = end.out.trimmed().split('\n');
    QCOMPARE(lines.takeLast(), "END");
    QCOMPARE(lines.size(), 21);
    for (const auto& line : std::as_const(lines)) {
        // All but a few characters that belong to the neighbours.
        QVERIFY2(line.contains("***") && line.size() <= 24, line.constData());
    }
    // What is not promised stays, so that nobody relies on it: masking is hygiene, not containment.
    const auto others = run("python3 -c 'import os; print(os.environ[\"S0\"][::-1])'; fold -w1 "
                            "<<<$S0 | head -3; tr a-z n-za-m <<<$S0",
        { u"password-hunter2"_s });
    QCOMPARE(others.out, "2retnuh-drowssap\np\na\ns\ncnffjbeq-uhagre2\n");
}

void TestAbuseSec::arguments(World& world)
{
    // Inside: the environment of the program alone.
    const auto secret = QString::fromLatin1(world.secret);
    const auto inside = run("for f in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$f; done | "
                            "python3 -c 'import sys; print(sys.stdin.read()[::-1])'",
        { secret }, { u"--setup"_s, u"true"_s });
    QCOMPARE(inside.exitCode, 0);
    auto reversed = world.secret;
    std::ranges::reverse(reversed);
    QVERIFY2(!inside.out.contains(reversed), inside.out.constData());

    // Outside: neither in a process list nor in Docker's books, when it came by the environment.
    qputenv("TOKEN", world.secret);
    const auto going = m_program->start(
        { u"run"_s, u"--secret"_s, u"TOKEN"_s, u"--cmd"_s, u"echo ready; sleep 1000"_s });
    QVERIFY(going->waitForOutput("ready"));
    qunsetenv("TOKEN");
    QCOMPARE(processesWith(world.secret), QList<QByteArray>());
    const auto containers = QCoro::waitFor(client().listContainers({ u"isol8.managed=true"_s }));
    QVERIFY(containers);
    int seen = 0; // Others may be gone by now.
    for (const auto& container : *containers) {
        const auto books = inspected(container.id);
        seen += books.contains("\"Config\"") ? 1 : 0;
        QVERIFY(!books.contains(world.secret));
    }
    QVERIFY(seen > 0);
    going->signal(SIGTERM);
    (void)going->end();

    // Without the variable it is an error, never silently nothing.
    const auto unset = m_program->run(
        { u"run"_s, u"--cmd"_s, u"true"_s, u"--secret"_s, u"SURELY_UNSET_VARIABLE"_s });
    QCOMPARE(unset.exitCode, 1);
    QVERIFY(unset.err.contains("SURELY_UNSET_VARIABLE"));
}

void TestAbuseSec::names(World& world)
{
    const auto secret = QString::fromLatin1(world.secret);
    for (const auto& name : { QString(), u"A\nB"_s }) {
        const auto end = m_program->run(
            { u"run"_s, u"--cmd"_s, u"true"_s, u"--secret"_s, name + u'=' + secret });
        QVERIFY2(end.exitCode > 0, qPrintable(name));
        QVERIFY(!end.err.contains(world.secret));
    }
    for (const auto& name : { QString(), u"A=B"_s, u"A\nB"_s, u"A"_s + QChar(u'\0') + u"B"_s }) {
        const QJsonObject options { { u"secrets"_s, QJsonObject { { name, secret } } } };
        verifyRefused(executeCall(bash("true"), options));
    }
}

void TestAbuseSec::goodNames(World&)
{
    // The secret's value counts before the environment's, and the user's before ours.
    const auto end = m_program->run({ u"run"_s, u"--cmd"_s, u"echo $A $HOME; [ $A = secret-a ]"_s,
        u"--env"_s, u"A=plain"_s, u"--secret"_s, u"A=secret-a"_s, u"--secret"_s, u"HOME=/tmp"_s });
    QCOMPARE(end.exitCode, 0);
    QCOMPARE(end.out, "*** ***\n");
}

void TestAbuseSec::files(World& world)
{
    // What is fetched is what the program wrote; the manual says that it is not masked.
    const auto secret = QString::fromLatin1(world.secret);
    const auto end = run("echo $S0 >kept.txt; cat kept.txt", { secret },
        { u"--get"_s, u"kept.txt:"_s + m_program->path(u"kept.txt"_s) });
    QCOMPARE(end.exitCode, 0);
    QCOMPARE(end.out, "***\n");
    QCOMPARE(m_program->read(u"kept.txt"_s), world.secret + '\n');
}

void TestAbuseSec::plain(World& world)
{
    const auto end = run("echo hi " + world.marker, { u"another-secret"_s });
    QCOMPARE(end.exitCode, 0);
    QCOMPARE(end.out, "hi " + world.marker + '\n');
}

QTEST_GUILESS_MAIN(TestAbuseSec)
#include "tst_abuse_sec.moc"
