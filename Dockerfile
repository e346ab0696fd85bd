# The image that serves. The first stage builds, the second carries the result and nothing to build
# with: no compiler, no npm, no pip, no shell tricks. It runs as a user without rights, and writes
# only to /var/lib/helpline (and not even there when the database is PostgreSQL) and, if copies are
# wanted, to /var/backups/helpline, so that the rest may be mounted read-only. No program in it can
# give anybody more rights. What it is made of lies in /opt/helpline/sbom.cdx.json.

ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
WORKDIR /build
# What changes seldom comes first, so that a change in the code reuses it.
COPY requirements-serve.lock ./
RUN python -m venv /opt/helpline \
 && /opt/helpline/bin/python -m pip install --quiet --require-hashes -r requirements-serve.lock
COPY requirements-build.lock ./
RUN python -m venv /opt/build \
 && /opt/build/bin/python -m pip install --quiet --require-hashes -r requirements-build.lock
COPY pyproject.toml hatch_build.py package.json package-lock.json .npmrc ./
COPY templates templates
COPY contracts contracts
COPY bots bots
COPY src src
COPY .ci/sbom.py .ci/sbom.py
RUN python .ci/sbom.py /opt/helpline/sbom.cdx.json \
 && /opt/build/bin/python -m hatchling build -t wheel -d dist \
 && /opt/helpline/bin/python -m pip install --quiet --no-deps --no-index dist/*.whl \
 && /opt/helpline/bin/python -m pip uninstall --quiet --yes pip setuptools

FROM python:${PYTHON}-slim
RUN groupadd --system --gid 10001 helpline \
 && useradd --system --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin helpline \
 && install -d -o 10001 -g 10001 -m 0700 /var/lib/helpline /var/backups/helpline \
 && find / -xdev -type f -perm /6000 -exec chmod a-s {} +
COPY --from=build /opt/helpline /opt/helpline
ENV PATH=/opt/helpline/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HELPLINE_DATABASE_URL=sqlite:////var/lib/helpline/helpline.db
WORKDIR /var/lib/helpline
VOLUME /var/lib/helpline /var/backups/helpline
STOPSIGNAL SIGTERM
USER 10001:10001
EXPOSE 8080
# An answer from /healthz says that the process lives; whether to send it traffic is /readyz.
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["helpline"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8080"]
