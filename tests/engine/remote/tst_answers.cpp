// SPDX-License-Identifier: MIT
#include "engine/remote/answers.h"

#include <QJsonDocument>
#include <QTest>
#include <QTimeZone>

using namespace Qt::StringLiterals;
using namespace isol8;
using namespace isol8::remote;

class TestAnswers : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void readsSessions();
    void readsFiles();
    void readsLogins();
    void readsContent();
    void refusesNonsense_data();
    void refusesNonsense();
};

namespace {

QJsonObject object(const QByteArray& text)
{
    return QJsonDocument::fromJson(text).object();
}

} // namespace

void TestAnswers::readsSessions()
{
    const auto sessions = sessionsFromJson(object(R"({"sessions":[
        {"id":"a","isActive":true,"lastAccessedAt":"2026-01-02T03:04:05.000Z","runtime":"node"},
        {"id":"b","isActive":false,"lastAccessedAt":1000,"unknown":1},
        {"id":"c"}]})"));
    QVERIFY(sessions);
    QCOMPARE(sessions->size(), 3);
    QCOMPARE(sessions->at(0).runtime, Runtime::Node);
    QVERIFY(sessions->at(0).isActive);
    QCOMPARE(sessions->at(0).lastUsed, QDateTime({ 2026, 1, 2 }, { 3, 4, 5 }, QTimeZone::UTC));
    QCOMPARE(sessions->at(1).lastUsed.toMSecsSinceEpoch(), 1000);
    QVERIFY(!sessions->at(2).lastUsed.isValid());
    QVERIFY(!sessions->at(2).created.isValid());
}

void TestAnswers::readsFiles()
{
    const auto files = filesFromJson(object(R"({"files":[
        {"name":"a","type":"directory","size":0,"mtime":"2026-01-02T03:04:05Z","mode":493},
        {"name":"b"}]})"));
    QVERIFY(files);
    QCOMPARE(files->size(), 2);
    QCOMPARE(files->at(0).type, FileEntry::Type::Directory);
    QCOMPARE(files->at(0).mode, 0755);
    QCOMPARE(files->at(1).type, FileEntry::Type::File);
}

void TestAnswers::readsLogins()
{
    const auto login
        = loginFromJson(object(R"({"token":"t","expiresAt":"2026-01-02T03:04:05Z","keyId":"k"})"));
    QVERIFY(login);
    QCOMPARE(login->token, u"t"_s);
    QCOMPARE(login->keyId, u"k"_s);
    QVERIFY(login->expires.isValid());
}

void TestAnswers::readsContent()
{
    QCOMPARE(contentFromJson(object(R"({"content":"AGE="})")).value(), QByteArray("\0a", 2));
    QCOMPARE(contentFromJson(object(R"({"content":""})")).value(), QByteArray());
}

void TestAnswers::refusesNonsense_data()
{
    QTest::addColumn<int>("reader");
    QTest::addColumn<QByteArray>("text");
    const auto row = [](int reader, const QByteArray& text) {
        QTest::addRow("%d %s", reader, text.constData()) << reader << text;
    };
    for (const auto* text : { "{}", R"({"sessions":1})", R"({"sessions":{}})",
             R"({"sessions":[1]})", R"({"sessions":[{}]})", R"({"sessions":[{"id":1}]})",
             R"({"sessions":[{"id":"a","isActive":"yes"}]})",
             R"({"sessions":[{"id":"a","lastAccessedAt":"soon"}]})",
             R"({"sessions":[{"id":"a","lastAccessedAt":1e300}]})",
             R"({"sessions":[{"id":"a","runtime":"cobol"}]})" })
        row(0, text);
    for (const auto* text :
        { "{}", R"({"files":[{}]})", R"({"files":[{"name":""}]})", R"({"files":[{"name":".."}]})",
            R"({"files":[{"name":"a/b"}]})", R"({"files":[{"name":"a\u0000"}]})",
            R"({"files":[{"name":"a","size":-1}]})", R"({"files":[{"name":"a","type":"socket!"}]})",
            R"({"files":[{"name":"a","mode":99999}]})" })
        row(1, text);
    for (const auto* text : { "{}", R"({"token":""})", R"({"token":"a b"})", R"({"token":1})",
             R"({"token":"a\r\nX-Header: b"})", R"({"token":"a","expiresAt":"never"})" })
        row(2, text);
    for (const auto* text : { "{}", R"({"content":1})", R"({"content":"%%%"})" })
        row(3, text);
}

void TestAnswers::refusesNonsense()
{
    QFETCH(int, reader);
    QFETCH(QByteArray, text);
    std::optional<Error> error;
    const auto keep = [&error](const auto& result) {
        if (!result)
            error = result.error();
    };
    switch (reader) {
    case 0:
        keep(sessionsFromJson(object(text)));
        break;
    case 1:
        keep(filesFromJson(object(text)));
        break;
    case 2:
        keep(loginFromJson(object(text)));
        break;
    default:
        keep(contentFromJson(object(text)));
    }
    QVERIFY(error);
    QCOMPARE(error->kind, Kind::Protocol);
}

QTEST_GUILESS_MAIN(TestAnswers)
#include "tst_answers.moc"
