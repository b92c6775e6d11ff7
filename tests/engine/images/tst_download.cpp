// SPDX-License-Identifier: MIT
#include "engine/images/download.h"

#include "tests/support/localserver.h"

#include <QCoroTask>
#include <QCryptographicHash>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using namespace isol8;
using namespace Qt::StringLiterals;
using test::LocalServer;

namespace {

QString integrityOf(const QByteArray& bytes)
{
    return u"sha512-"_s
        + QString::fromLatin1(
            QCryptographicHash::hash(bytes, QCryptographicHash::Sha512).toBase64());
}

const QByteArray content = QByteArray(200'000, 'x') + "end";

QByteArray headerFor(qsizetype length)
{
    return "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + QByteArray::number(length)
        + "\r\n\r\n";
}

} // namespace

class TestDownload : public QObject {
    Q_OBJECT

private:
    std::unique_ptr<LocalServer> m_server;
    std::unique_ptr<QTemporaryDir> m_directory;

    DownloadSpec spec() const
    {
        DownloadSpec spec;
        spec.url = QUrl(m_server->url(u"/file"_s));
        spec.path = m_directory->filePath(u"file"_s);
        spec.integrity = integrityOf(content);
        spec.pause = std::chrono::milliseconds(1);
        return spec;
    }
    bool isNothingLeft() const { return QDir(m_directory->path()).isEmpty(); }
    Error failingWith(const DownloadSpec& spec, const CancelToken& cancel = {}) const
    {
        const auto result = QCoro::waitFor(download(spec, {}, cancel));
        return result ? Error { Kind::Internal, u"it succeeded"_s } : result.error();
    }

private Q_SLOTS:
    void init()
    {
        m_server = std::make_unique<LocalServer>();
        m_directory = std::make_unique<QTemporaryDir>();
        QVERIFY(m_server->isListening());
        QVERIFY(m_directory->isValid());
    }

    void writesWhatTheServerSends()
    {
        m_server->addBody(u"/file"_s, content);
        qint64 last = 0;
        qint64 total = 0;
        const auto progress = [&](qint64 current, qint64 all) {
            QVERIFY(current >= last);
            last = current;
            total = all;
        };
        const auto result = QCoro::waitFor(download(spec(), progress, {}));
        QVERIFY2(result.has_value(), result ? "" : qPrintable(result.error().message));
        QFile file(spec().path);
        QVERIFY(file.open(QIODevice::ReadOnly));
        QCOMPARE(file.readAll(), content);
        QCOMPARE(last, content.size());
        QCOMPARE(total, content.size());
        QCOMPARE(m_server->requests().size(), 1);
    }

    void followsARedirection()
    {
        m_server->add(u"/file"_s,
            "HTTP/1.1 302 Found\r\nConnection: close\r\nContent-Length: 3\r\nLocation: "
            "/other\r\n\r\nabc");
        m_server->addBody(u"/other"_s, content);
        QVERIFY(QCoro::waitFor(download(spec(), {}, {})).has_value());
    }

    void refusesAnotherContent()
    {
        auto changed = content;
        changed[1000] = 'y';
        m_server->addBody(u"/file"_s, changed);
        const auto error = failingWith(spec());
        QCOMPARE(error.kind, Kind::Denied);
        QVERIFY(error.message.contains(integrityOf(changed)));
        QVERIFY(isNothingLeft());
        QCOMPARE(m_server->requests().size(), 1); // asking again would not help
    }

    void keepsNothingOfAnOlderFile()
    {
        QFile old(spec().path);
        QVERIFY(old.open(QIODevice::WriteOnly));
        old.write(content + content);
        old.close();
        m_server->addBody(u"/file"_s, content);
        QVERIFY(QCoro::waitFor(download(spec(), {}, {})).has_value());
        QCOMPARE(QFileInfo(spec().path).size(), content.size());
    }

    void triesALostConnectionAgain_data()
    {
        QTest::addColumn<QByteArray>("first");
        QTest::newRow("before the header") << QByteArray();
        QTest::newRow("after the header") << headerFor(content.size());
        QTest::newRow("within the body") << headerFor(content.size()) + content.first(150'000);
        QTest::newRow("before the last byte") << headerFor(content.size()) + content.chopped(1);
        QTest::newRow("server error")
            << QByteArray("HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    }

    void triesALostConnectionAgain()
    {
        QFETCH(QByteArray, first);
        m_server->add(u"/file"_s, first);
        m_server->addBody(u"/file"_s, content);
        const auto result = QCoro::waitFor(download(spec(), {}, {}));
        QVERIFY2(result.has_value(), result ? "" : qPrintable(result.error().message));
        QCOMPARE(QFileInfo(spec().path).size(), content.size());
        QVERIFY(m_server->requests().size() >= 2);
    }

    void givesUpAfterTheAttempts()
    {
        m_server->add(u"/file"_s, headerFor(content.size()) + content.first(10));
        auto twice = spec();
        twice.attempts = 2;
        const auto error = failingWith(twice);
        QCOMPARE(error.kind, Kind::Unreachable);
        QVERIFY(isNothingLeft());
    }

    void saysWhenThereIsNoSuchFile()
    {
        QCOMPARE(failingWith(spec()).kind, Kind::NotFound);
        QCOMPARE(m_server->requests().size(), 1);
        QVERIFY(isNothingLeft());
    }

    void saysWhenItMayNot()
    {
        m_server->add(u"/file"_s,
            "HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 4\r\n\r\nnope");
        QCOMPARE(failingWith(spec()).kind, Kind::Denied);
        QVERIFY(isNothingLeft());
    }

    void saysWhenNobodyListens()
    {
        const auto lost = spec();
        m_server.reset();
        QCOMPARE(failingWith(lost).kind, Kind::Unreachable);
        QVERIFY(isNothingLeft());
    }

    void stopsAtTheBound()
    {
        m_server->addBody(u"/file"_s, content);
        auto small = spec();
        small.maxBytes = content.size() - 1;
        QCOMPARE(failingWith(small).kind, Kind::Limit);
        QVERIFY(isNothingLeft());
        QCOMPARE(m_server->requests().size(), 1);
    }

    void saysWhenItCannotWrite()
    {
        m_server->addBody(u"/file"_s, content);
        auto nowhere = spec();
        nowhere.path = m_directory->filePath(u"missing/file"_s);
        QCOMPARE(failingWith(nowhere).kind, Kind::Limit);
        QCOMPARE(m_server->requests().size(), 0);
    }

    void endsWhenNothingComes()
    {
        m_server->add(u"/file"_s, headerFor(content.size()), LocalServer::End::Hold);
        auto impatient = spec();
        impatient.attempts = 1;
        impatient.silence = std::chrono::milliseconds(50);
        QCOMPARE(failingWith(impatient).kind, Kind::Unreachable);
        QVERIFY(isNothingLeft());
    }

    void isCancelledBeforeItBegins()
    {
        const CancelToken cancel;
        cancel.cancel();
        QCOMPARE(failingWith(spec(), cancel), cancelled());
        QCOMPARE(m_server->requests().size(), 0);
        QVERIFY(isNothingLeft());
    }

    void isCancelledWithinTheHeader()
    {
        m_server->add(u"/file"_s, "HTTP/1.1 2", LocalServer::End::Hold);
        const CancelToken cancel;
        connect(m_server.get(), &LocalServer::requested, this, [cancel] { cancel.cancel(); });
        QCOMPARE(failingWith(spec(), cancel), cancelled());
        QVERIFY(isNothingLeft());
    }

    void isCancelledWithinTheBody()
    {
        m_server->add(
            u"/file"_s, headerFor(content.size()) + content.first(100'000), LocalServer::End::Hold);
        const CancelToken cancel;
        const auto progress = [cancel](qint64, qint64) { cancel.cancel(); };
        const auto result = QCoro::waitFor(download(spec(), progress, cancel));
        QVERIFY(!result.has_value());
        QCOMPARE(result.error(), cancelled());
        QVERIFY(isNothingLeft());
    }

    void isCancelledBetweenAttempts()
    {
        m_server->add(
            u"/file"_s, "HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        const CancelToken cancel;
        auto slow = spec();
        slow.pause = std::chrono::hours(1);
        connect(m_server.get(), &LocalServer::requested, this,
            [cancel] { QTimer::singleShot(100, [cancel] { cancel.cancel(); }); });
        QCOMPARE(failingWith(slow, cancel), cancelled());
        QVERIFY(isNothingLeft());
    }
};

QTEST_GUILESS_MAIN(TestDownload)
#include "tst_download.moc"
