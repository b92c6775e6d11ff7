// SPDX-License-Identifier: MIT
// Runs one line of Python in a sandbox of the local Docker and prints what it printed.
#include <engine/sandbox/dockerengine.h>

#include <QCoreApplication>
#include <QCoroTask>

#include <cstdio>

int main(int argc, char** argv)
{
    QCoreApplication application(argc, argv);
    const auto endpoint = isol8::docker::resolveEndpoint();
    if (!endpoint)
        qFatal("%s", qPrintable(endpoint.error().message));
    isol8::DockerEngine engine(*endpoint);

    isol8::ExecutionRequest request;
    request.code = "print(1)";
    const auto run = engine.start(request, {}, {});
    QObject::connect(run.get(), &isol8::Run::finished, &application, [](const auto& result) {
        if (!result)
            qFatal("%s", qPrintable(result.error().message));
        std::fwrite(result->standardOutput.data(), 1, result->standardOutput.size(), stdout);
        QCoreApplication::exit(result->exitCode);
    });
    const int exitCode = QCoreApplication::exec();
    return QCoro::waitFor(engine.shutdown()) ? exitCode : 1;
}
