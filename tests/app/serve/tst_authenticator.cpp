// SPDX-License-Identifier: MIT
#include "app/serve/authenticator.h"
#include "app/serve/keystore.h"

#include <QTemporaryDir>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace isol8;
using namespace isol8::serve;
using namespace std::chrono_literals;

namespace {

const QByteArray masterKey = "the-master-key";
const QHostAddress here(u"192.0.2.1"_s);
const QHostAddress elsewhere(u"192.0.2.2"_s);

/// Failures that never make anybody wait within a test.
constexpr Authenticator::Limits patient { 1'000'000, 1h, 1h, 1h, 4096, 512 };
/// The first failure waits longer than a test.
constexpr Authenticator::Limits strict { 0, 1h, 1h, 1h, 4096, 512 };

Result<Principal> ask(
    Authenticator& authenticator, const QList<QByteArray>& headers, const QHostAddress& peer = here)
{
    return QCoro::waitFor(authenticator.authenticate(headers, peer));
}

/// Asks without waiting; the answer comes into @p answer.
Task<> askLater(Authenticator* authenticator, QByteArray header, QHostAddress peer,
    CancelToken cancel, std::shared_ptr<std::optional<Result<Principal>>> answer)
{
    auto principal = co_await authenticator->authenticate({ header }, peer, cancel);
    answer->emplace(std::move(principal));
    co_return {};
}

std::shared_ptr<std::optional<Result<Principal>>> later(Authenticator& authenticator,
    const QByteArray& header, const QHostAddress& peer = here, const CancelToken& cancel = {})
{
    const auto answer = std::make_shared<std::optional<Result<Principal>>>();
    askLater(&authenticator, header, peer, cancel, answer);
    return answer;
}

} // namespace

class TestAuthenticator : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void readsBearerKeys_data();
    void readsBearerKeys();
    void comparesEveryLength();
    void answersAsPromised_data();
    void answersAsPromised();
    void takesMasterKeysOfAnyLength();
    void knowsKeysOfTheStore();
    void isClosedWhileTheStoreIs();
    void slowsGuessersDown();
    void leavesOthersAlone();
    void boundsWaitingAnswersOfAnAddress();
    void forgetsTheLongestAgo();
    void countsAHostOfVersion6Once();
    void endsWaitsWithTheClient();
    void endsWaitsWithItself();
};

void TestAuthenticator::readsBearerKeys_data()
{
    QTest::addColumn<QByteArray>("header");
    QTest::addColumn<QByteArray>("key");
    QTest::newRow("usual") << QByteArray("Bearer k") << QByteArray("k");
    QTest::newRow("lower case") << QByteArray("bearer k") << QByteArray("k");
    QTest::newRow("upper case") << QByteArray("BEARER k") << QByteArray("k");
    QTest::newRow("punctuation") << QByteArray("Bearer a-b_c.d~e+f/g==")
                                 << QByteArray("a-b_c.d~e+f/g==");
    QTest::newRow("longest") << "Bearer " + QByteArray(4096, 'k') << QByteArray(4096, 'k');
    const QList<QByteArray> wrong { "", "Bearer", "Bearer ", "Bearer  k", "Bearer\tk", "k",
        "Basic k", "Bearerk", " Bearer k", "Bearer k ", "Bearer k l", "Bearer k,l", "Bearer k\tl",
        QByteArray("Bearer k\0", 9), QByteArray("Bearer \0k", 9), "Bearer k\x7f", "Bearer \xc3\xa4",
        "Bearer \xff", "Bearer " + QByteArray(4097, 'k'), "Bearer " + QByteArray(1 << 20, 'k') };
    for (const auto& header : wrong) {
        if (header != "Bearer k,l") // One key, however odd.
            QTest::addRow("refused %d: %s", int(header.size()), header.toHex().left(40).constData())
                << header << QByteArray();
    }
}

void TestAuthenticator::readsBearerKeys()
{
    QFETCH(const QByteArray, header);
    QFETCH(const QByteArray, key);
    QCOMPARE(bearerKey(header).value_or(QByteArray()), key);
}

/// HTTP-03 of ABUSE.md, with knowsKeysOfTheStore().
void TestAuthenticator::comparesEveryLength()
{
    for (int length = 0; length <= 70; ++length) {
        const QByteArray text(length, 'x');
        QVERIFY(isEqualInConstantTime(text, QByteArray(length, 'x')));
        QVERIFY(!isEqualInConstantTime(text, text + 'x'));
        QVERIFY(!isEqualInConstantTime(text + '\0', text));
        for (int at = 0; at < length; ++at) {
            auto other = text;
            other[at] = 'y';
            QVERIFY(!isEqualInConstantTime(text, other));
            other[at] = char('x' ^ 0x80);
            QVERIFY(!isEqualInConstantTime(text, other));
        }
    }
}

/// HTTP-01 of ABUSE.md; through the server: tst_endpoints_live.
void TestAuthenticator::answersAsPromised_data()
{
    QTest::addColumn<QList<QByteArray>>("headers");
    QTest::addColumn<int>("status");
    const auto row = [](const char* name, const QList<QByteArray>& headers, int status) {
        QTest::newRow(name) << headers << status;
    };
    row("none", {}, 401);
    row("empty", { "" }, 401);
    row("blank", { "  " }, 401);
    row("scheme alone", { "Bearer" }, 403);
    row("two blanks", { "Bearer  the-master-key" }, 403);
    row("bare", { "the-master-key" }, 403);
    row("basic", { "Basic the-master-key" }, 403);
    row("twice the same", { "Bearer the-master-key", "Bearer the-master-key" }, 403);
    row("an empty one first", { "", "Bearer the-master-key" }, 403);
    row("wrong", { "Bearer wrong" }, 403);
    row("a prefix", { "Bearer the-master-ke" }, 403);
    row("longer", { "Bearer the-master-keyy" }, 403);
    row("other case", { "Bearer The-Master-Key" }, 403);
    row("NUL at the end", { QByteArray("Bearer the-master-key\0", 22) }, 403);
    row("huge", { "Bearer " + QByteArray(1 << 20, 'k') }, 403);
    row("right", { "Bearer the-master-key" }, 0);
    row("right, other scheme case", { "bearer the-master-key" }, 0);
}

void TestAuthenticator::answersAsPromised()
{
    QFETCH(const QList<QByteArray>, headers);
    QFETCH(const int, status);
    Authenticator authenticator(masterKey, nullptr, patient);
    const auto principal = ask(authenticator, headers);
    if (status == 0) {
        QVERIFY(principal);
        QCOMPARE(*principal, (Principal { u"default"_s, true, {} }));
        return;
    }
    QVERIFY(!principal);
    QCOMPARE(principal.error().httpStatus, status);
    QCOMPARE(principal.error().message,
        status == 401 ? u"Missing Authorization header"_s : u"Invalid API key"_s);
    QCOMPARE(authenticator.failures(here), status == 401 ? 0 : 1);
}

void TestAuthenticator::takesMasterKeysOfAnyLength()
{
    for (const int length : { 1, 31, 32, 33, 64, 1000, 4096 }) {
        const QByteArray key(length, 'm');
        Authenticator authenticator(key, nullptr, patient);
        QVERIFY(ask(authenticator, { "Bearer " + key }));
        QVERIFY(!ask(authenticator, { "Bearer " + key.chopped(1) + 'n' }));
        QVERIFY(!ask(authenticator, { "Bearer " + QByteArray(32, 'm') + '\x01' }));
    }
}

void TestAuthenticator::knowsKeysOfTheStore()
{
    const QTemporaryDir directory;
    const auto store = QCoro::waitFor(KeyStore::open(directory.filePath(u"keys.db"_s)));
    QVERIFY(store);
    Authenticator authenticator(masterKey, *store, patient);
    const auto made = QCoro::waitFor((*store)->create(u"robot"_s, u"acme"_s, 1h));
    QVERIFY(made);
    const auto header = "Bearer " + made->key;
    const auto principal = ask(authenticator, { header });
    QVERIFY(principal);
    QCOMPARE(*principal, (Principal { u"acme"_s, false, made->record.id }));
    QVERIFY(ask(authenticator, { "Bearer " + masterKey })->isMaster);

    const auto unknown = ask(authenticator, { "Bearer isol8_" + QByteArray(43, 'A') });
    QVERIFY(QCoro::waitFor((*store)->remove(made->record.id)).value_or(false));
    const auto revoked = ask(authenticator, { header });
    QVERIFY(!revoked);
    // Nothing tells a revoked key from one that never was.
    QCOMPARE(revoked.error(), unknown.error());
}

void TestAuthenticator::isClosedWhileTheStoreIs()
{
    const QTemporaryDir directory;
    const auto path = directory.filePath(u"keys.db"_s);
    const auto store = QCoro::waitFor(KeyStore::open(path));
    QVERIFY(store);
    Authenticator authenticator(masterKey, *store, patient);
    const auto made = QCoro::waitFor((*store)->create(u"robot"_s, {}, 1h));
    QVERIFY(made);
    QVERIFY(QFile::remove(path));
    QTest::ignoreMessage(QtWarningMsg, QRegularExpression(u"key database does not work"_s));
    const auto refused = ask(authenticator, { "Bearer " + made->key });
    QVERIFY(!refused);
    QCOMPARE(refused.error().httpStatus, 503);
    QCOMPARE(authenticator.failures(here), 0); // It was no guess.
    QVERIFY(ask(authenticator, { "Bearer " + masterKey }));
}

void TestAuthenticator::slowsGuessersDown()
{
    Authenticator authenticator(masterKey, nullptr, { 2, 1ms, 4ms, 1h, 4096, 512 });
    for (int i = 1; i <= 6; ++i) {
        QCOMPARE(ask(authenticator, { "Bearer wrong" }).error().httpStatus, 403);
        QCOMPARE(authenticator.failures(here), i);
    }
    QCOMPARE(authenticator.totalFailures(), 6);
    Authenticator severe(masterKey, nullptr, { 1, 1h, 1h, 1h, 4096, 512 });
    QVERIFY(*later(severe, "Bearer wrong"));
    const auto second = later(severe, "Bearer wrong");
    QVERIFY(!*second);
}

void TestAuthenticator::leavesOthersAlone()
{
    Authenticator authenticator(masterKey, nullptr, strict);
    const auto guess = later(authenticator, "Bearer wrong");
    QVERIFY(!*guess);
    QVERIFY(ask(authenticator, { "Bearer " + masterKey }, elsewhere));
    // The same address with the right key: a neighbour behind one router.
    QVERIFY(ask(authenticator, { "Bearer " + masterKey }));
    QCOMPARE(authenticator.failures(elsewhere), 0);
    QCOMPARE(ask(authenticator, {}).error().httpStatus, 401);
}

void TestAuthenticator::boundsWaitingAnswersOfAnAddress()
{
    Authenticator authenticator(masterKey, nullptr, strict);
    QList<std::shared_ptr<std::optional<Result<Principal>>>> guesses;
    for (int i = 0; i < 16; ++i)
        guesses << later(authenticator, "Bearer wrong");
    for (const auto& guess : std::as_const(guesses))
        QVERIFY(!*guess);
    // Not even looked at.
    QCOMPARE(ask(authenticator, { "Bearer " + masterKey }).error().httpStatus, 429);
    QVERIFY(ask(authenticator, { "Bearer " + masterKey }, elsewhere));

    Authenticator small(masterKey, nullptr, { 0, 1h, 1h, 1h, 4096, 1 });
    const auto first = later(small, "Bearer wrong");
    QVERIFY(!*first);
    QCOMPARE(ask(small, { "Bearer wrong" }, elsewhere).error().httpStatus, 429);
}

void TestAuthenticator::forgetsTheLongestAgo()
{
    Authenticator authenticator(masterKey, nullptr, { 1'000'000, 1h, 1h, 1h, 100, 512 });
    const auto address = [](quint32 i) { return QHostAddress(quint32(0x0a000000 + i)); };
    for (quint32 i = 0; i < 1000; ++i)
        QVERIFY(!ask(authenticator, { "Bearer wrong" }, address(i)));
    QCOMPARE(authenticator.failures(address(0)), 0);
    QCOMPARE(authenticator.failures(address(899)), 0);
    QCOMPARE(authenticator.failures(address(900)), 1);
    QCOMPARE(authenticator.failures(address(999)), 1);

    Authenticator quick(masterKey, nullptr, { 1'000'000, 1h, 1h, 1ms, 100, 512 });
    QVERIFY(!ask(quick, { "Bearer wrong" }));
    QTRY_COMPARE_WITH_TIMEOUT(quick.failures(here), 0, 30'000);
}

void TestAuthenticator::countsAHostOfVersion6Once()
{
    Authenticator authenticator(masterKey, nullptr, patient);
    QVERIFY(!ask(authenticator, { "Bearer a" }, QHostAddress(u"2001:db8:0:1::1"_s)));
    QVERIFY(!ask(authenticator, { "Bearer b" }, QHostAddress(u"2001:db8:0:1:ffff::2"_s)));
    QCOMPARE(authenticator.failures(QHostAddress(u"2001:db8:0:1::3"_s)), 2);
    QCOMPARE(authenticator.failures(QHostAddress(u"2001:db8:0:2::1"_s)), 0);
    // Version 4 in the form of version 6 is version 4.
    QVERIFY(!ask(authenticator, { "Bearer a" }, QHostAddress(u"::ffff:192.0.2.1"_s)));
    QCOMPARE(authenticator.failures(here), 1);
    // A local socket has no address.
    QVERIFY(!ask(authenticator, { "Bearer a" }, QHostAddress()));
    QCOMPARE(authenticator.failures(QHostAddress()), 1);
}

void TestAuthenticator::endsWaitsWithTheClient()
{
    Authenticator authenticator(masterKey, nullptr, strict);
    const CancelToken gone;
    const auto guess = later(authenticator, "Bearer wrong", here, gone);
    QVERIFY(!*guess);
    gone.cancel();
    QVERIFY(*guess);
    QCOMPARE((*guess)->error().kind, Kind::Cancelled);
    const auto late = later(authenticator, "Bearer wrong", here, gone);
    QVERIFY(*late);
}

void TestAuthenticator::endsWaitsWithItself()
{
    auto authenticator = std::make_unique<Authenticator>(masterKey, nullptr, strict);
    const auto guess = later(*authenticator, "Bearer wrong");
    QVERIFY(!*guess);
    authenticator.reset();
    QVERIFY(*guess);
    QCOMPARE((*guess)->error().kind, Kind::Cancelled);
}

QTEST_GUILESS_MAIN(TestAuthenticator)
#include "tst_authenticator.moc"
