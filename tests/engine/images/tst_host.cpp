// SPDX-License-Identifier: MIT
#include "engine/images/host.h"

#include <QTemporaryDir>
#include <QTest>

using namespace isol8;
using namespace Qt::StringLiterals;

class TestHost : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void findsTheMirror_data()
    {
        QTest::addColumn<QByteArray>("sites");
        QTest::addColumn<QString>("mirror");
        QTest::newRow("Debian") << QByteArray("http://mirror.example/debian\n")
                                << u"http://mirror.example/debian"_s;
        QTest::newRow("slash") << QByteArray("https://mirror.example/pub/debian/\n")
                               << u"https://mirror.example/pub/debian"_s;
        QTest::newRow("security first")
            << QByteArray("http://a.example/debian-security\nhttp://b.example/debian\n")
            << u"http://b.example/debian"_s;
        QTest::newRow("another distribution")
            << QByteArray("http://a.example/ubuntu\nhttp://b.example/raspbian\n") << QString();
        QTest::newRow("local files")
            << QByteArray("file:///srv/debian\ncdrom:[x]/debian\n") << QString();
        QTest::newRow("nothing") << QByteArray() << QString();
        QTest::newRow("noise") << QByteArray("\n\nhello\n-x /debian\n") << QString();
    }

    void findsTheMirror()
    {
        QFETCH(QByteArray, sites);
        QTEST(debianMirrorAmong(sites), "mirror");
    }

    void takesAWebAddressForARegistry_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("registry");
        QTest::newRow("https") << QByteArray("https://npm.example/\n") << u"https://npm.example/"_s;
        QTest::newRow("path") << QByteArray("http://npm.example:81/a/b")
                              << u"http://npm.example:81/a/b"_s;
        QTest::newRow("undefined") << QByteArray("undefined\n") << QString();
        QTest::newRow("file") << QByteArray("file:///x") << QString();
        QTest::newRow("no host") << QByteArray("https:///x") << QString();
        QTest::newRow("space") << QByteArray("https://npm.example/a b") << QString();
        QTest::newRow("empty") << QByteArray() << QString();
    }

    void takesAWebAddressForARegistry()
    {
        QFETCH(QByteArray, text);
        QTEST(registryFrom(text), "registry");
    }

    void addsAnotherBundle()
    {
        const QTemporaryDir directory;
        const auto write = [&](const QString& name, const QByteArray& content) {
            QFile file(directory.filePath(name));
            if (!file.open(QIODevice::WriteOnly) || file.write(content) != content.size())
                return QString();
            return file.fileName();
        };
        const QByteArray own("-----BEGIN CERTIFICATE-----\nown\n-----END CERTIFICATE-----");
        const QByteArray other("-----BEGIN CERTIFICATE-----\nother\n-----END CERTIFICATE-----\n");
        const auto saved = qgetenv("SSL_CERT_FILE");
        qputenv("SSL_CERT_FILE", write(u"own.pem"_s, own).toLocal8Bit());
        const auto alone = readCaBundle({});
        const auto both = readCaBundle(write(u"other.pem"_s, other));
        const auto missing = readCaBundle(directory.filePath(u"missing.pem"_s));
        const auto broken = readCaBundle(write(u"broken.pem"_s, "hello"));
        const auto folder = readCaBundle(directory.path());
        if (saved.isNull())
            qunsetenv("SSL_CERT_FILE");
        else
            qputenv("SSL_CERT_FILE", saved);

        QCOMPARE(alone.value(), own);
        QCOMPARE(both.value(), own + '\n' + other);
        QVERIFY(!missing.has_value());
        QVERIFY(missing.error().message.contains("network.caBundle"_L1));
        QVERIFY(missing.error().message.contains("missing.pem"_L1));
        QVERIFY(!broken.has_value());
        QCOMPARE(broken.error().kind, Kind::Invalid);
        QVERIFY(!folder.has_value());
    }
};

QTEST_GUILESS_MAIN(TestHost)
#include "tst_host.moc"
