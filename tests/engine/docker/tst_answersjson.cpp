// SPDX-License-Identifier: MIT
#include "engine/docker/answersjson.h"

#include <QFile>
#include <QTest>
#include <QTimeZone>

using namespace Qt::StringLiterals;
using namespace isol8;
using namespace isol8::docker;

namespace {

QByteArray recorded(const QString& name)
{
    QFile file(QStringLiteral(ISOL8_TEST_DATA "/docker/") + name);
    if (!file.open(QIODevice::ReadOnly))
        qFatal("no recorded answer %s", qPrintable(name));
    return file.readAll();
}

} // namespace

class TestAnswersJson : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void version();
    void info();
    void container();
    void containers();
    void imageOfInspectAndOfTheList();
    void volumes();
    void waits();
    void missingKeysAreNamed_data();
    void missingKeysAreNamed();
    void everyCutIsRefused();
};

void TestAnswersJson::version()
{
    const auto version = versionFromAnswer(recorded(u"version.json"_s));
    QVERIFY(version);
    QCOMPARE(version->version, u"20.10.24"_s);
    QCOMPARE(version->apiVersion, u"1.41"_s);
    QCOMPARE(version->minimumApiVersion, u"1.12"_s);
    QCOMPARE(version->runcVersion, u"1.1.5"_s);
    const auto bare = versionFromAnswer(R"({"Version":"5.4.0","ApiVersion":"1.41"})");
    QVERIFY(bare);
    QVERIFY(bare->runcVersion.isEmpty());
}

void TestAnswersJson::info()
{
    const auto info
        = infoFromAnswer(R"({"ID":"A:B","OperatingSystem":"Debian","Architecture":"x86_64",
        "CgroupVersion":"2","CgroupDriver":"systemd","DockerRootDir":"/var/lib/docker","Driver":"overlay2",
        "SecurityOptions":["name=seccomp,profile=default","name=rootless"],"SwapLimit":false,"MemoryLimit":true,
        "PidsLimit":true,"CpuCfsQuota":true,"Warnings":null,"NCPU":4,"Unknown":{"x":[1]}})");
    QVERIFY(info);
    QCOMPARE(info->serverId, u"A:B"_s);
    QCOMPARE(info->cgroupVersion, u"2"_s);
    QCOMPARE(info->storageDriver, u"overlay2"_s);
    QCOMPARE(info->securityOptions.size(), 2);
    QVERIFY(!info->hasSwapLimit);
    QVERIFY(info->hasMemoryLimit && info->hasPidsLimit && info->hasCpuQuota);
    QVERIFY(info->warnings.isEmpty());
    QCOMPARE(info->cpus, 4);
}

void TestAnswersJson::container()
{
    const auto container = containerFromAnswer(recorded(u"container.json"_s));
    QVERIFY2(container, qPrintable(container ? QString() : container.error().message));
    QCOMPARE(container->id, u"4f1e"_s);
    QCOMPARE(container->name, u"isol8-x"_s);
    QCOMPARE(container->imageId, u"sha256:12"_s);
    QCOMPARE(container->status, u"exited"_s);
    QCOMPARE(container->exitCode, 137);
    QVERIFY(container->isOutOfMemory);
    QVERIFY(!container->isRunning);
    QCOMPARE(container->labels.value(u"isol8.managed"_s), u"true"_s);
}

void TestAnswersJson::containers()
{
    const auto list
        = containersFromAnswer(R"([{"Id":"1","Names":["/a","/b/c"],"Image":"i","State":"running",
        "Created":1700000000,"Labels":{"x":"y"}},{"Id":"2","Names":null,"State":"dead","Labels":null}])");
    QVERIFY(list);
    QCOMPARE(list->size(), 2);
    QCOMPARE(list->first().names, (QStringList { u"a"_s, u"b/c"_s }));
    QCOMPARE(list->first().created, QDateTime::fromSecsSinceEpoch(1'700'000'000, QTimeZone::UTC));
    QCOMPARE(list->first().labels.value(u"x"_s), u"y"_s);
    QVERIFY(list->last().names.isEmpty());
    QVERIFY(containersFromAnswer("[]")->isEmpty());
}

void TestAnswersJson::imageOfInspectAndOfTheList()
{
    const auto image = imageFromAnswer(R"({"Id":"sha256:1","RepoTags":["a:b","<none>:<none>"],
        "Created":"2026-05-07T21:09:36.123456789Z","Size":42,"Config":{"Labels":{"x":"y"},
        "Env":["PATH=/bin","A=b=c"],"Volumes":{"/data":{},"/var/lib/x":{}}}})");
    QVERIFY(image);
    QCOMPARE(image->environment, (QStringList { u"PATH=/bin"_s, u"A=b=c"_s }));
    QCOMPARE(image->volumes, (QStringList { u"/data"_s, u"/var/lib/x"_s }));
    QVERIFY(imageFromAnswer(
        R"({"Id":"sha256:1","Size":1,"Created":"","Config":{"Env":null,"Volumes":null}})"));
    QCOMPARE(image->tags, QStringList { u"a:b"_s });
    QCOMPARE(image->created.date(), QDate(2026, 5, 7));
    QCOMPARE(image->sizeBytes, 42);
    QCOMPARE(image->labels.value(u"x"_s), u"y"_s);
    const auto list = imagesFromAnswer(
        R"([{"Id":"sha256:2","RepoTags":null,"Created":1700000000,"Size":7,"Labels":{"p":"q"}}])");
    QVERIFY(list);
    QVERIFY(list->first().tags.isEmpty());
    QCOMPARE(list->first().labels.value(u"p"_s), u"q"_s);
    QCOMPARE(list->first().created.toSecsSinceEpoch(), 1'700'000'000);
}

void TestAnswersJson::volumes()
{
    const auto list
        = volumesFromAnswer(R"({"Volumes":[{"Name":"v","Labels":null}],"Warnings":null})");
    QVERIFY(list);
    QCOMPARE(list->first().name, u"v"_s);
    QVERIFY(volumesFromAnswer(R"({"Volumes":null})")->isEmpty());
}

void TestAnswersJson::waits()
{
    QCOMPARE(exitCodeFromAnswer(R"({"StatusCode":137})"), Result<int>(137));
    QCOMPARE(exitCodeFromAnswer(R"({"StatusCode":0,"Error":null})"), Result<int>(0));
    const auto failed
        = exitCodeFromAnswer(R"({"StatusCode":127,"Error":{"Message":"no such file"}})");
    QVERIFY(!failed);
    QCOMPARE(failed.error().message, u"no such file"_s);
}

void TestAnswersJson::missingKeysAreNamed_data()
{
    using Parse = std::function<std::optional<Error>(const QByteArray&)>;
    QTest::addColumn<Parse>("parse");
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<QString>("key");
    const auto with = [](auto parse) -> Parse {
        return [parse](const QByteArray& body) -> std::optional<Error> {
            const auto result = parse(body);
            return result ? std::nullopt : std::optional(result.error());
        };
    };
    QTest::newRow("version") << with(versionFromAnswer) << QByteArray(R"({"Version":"1"})")
                             << u"version.ApiVersion"_s;
    QTest::newRow("container state")
        << with(containerFromAnswer) << QByteArray(R"({"Id":"1","Name":"/n"})")
        << u"container.State"_s;
    QTest::newRow("exit code")
        << with(containerFromAnswer)
        << QByteArray(R"({"Id":"1","Name":"n","State":{"Status":"x","ExitCode":"7"}})")
        << u"container.State.ExitCode"_s;
    QTest::newRow("fraction") << with(exitCodeFromAnswer) << QByteArray(R"({"StatusCode":1.5})")
                              << u"wait.StatusCode"_s;
    QTest::newRow("list") << with(containersFromAnswer)
                          << QByteArray(R"([{"Id":"1","State":"x"},{"Id":2}])")
                          << u"container.Id"_s;
    QTest::newRow("image") << with(imageFromAnswer) << QByteArray("{}") << u"image.Id"_s;
    QTest::newRow("volume") << with(volumeFromAnswer) << QByteArray(R"({"Name":null})")
                            << u"volume.Name"_s;
    QTest::newRow("list of numbers")
        << with(imagesFromAnswer) << QByteArray("[1]") << u"image.Id"_s;
}

void TestAnswersJson::missingKeysAreNamed()
{
    QFETCH(std::function<std::optional<Error>(const QByteArray&)>, parse);
    QFETCH(QByteArray, body);
    QFETCH(QString, key);
    const auto error = parse(body);
    QVERIFY(error);
    QCOMPARE(error->kind, Kind::Protocol);
    QVERIFY2(error->message.contains(key), qPrintable(error->message));
}

void TestAnswersJson::everyCutIsRefused()
{
    const auto whole = recorded(u"container.json"_s).trimmed();
    for (qsizetype size = 0; size < whole.size(); ++size) {
        const auto container = containerFromAnswer(whole.first(size));
        QVERIFY(!container);
        QCOMPARE(container.error().kind, Kind::Protocol);
    }
}

QTEST_GUILESS_MAIN(TestAnswersJson)
#include "tst_answersjson.moc"
