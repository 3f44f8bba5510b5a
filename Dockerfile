# One image for the app and the model server; WHENCE_ROLE chooses. docs/deploy.md has the commands.
#   docker build -t whence .                                        any machine; uses a GPU where there is one
#   docker build -t whence --build-arg DEVICE=cpu \
#                --build-arg TORCH_INDEX=<PyTorch's CPU wheels> .   smaller, without the CUDA libraries
# Models are not in it (but for the small demo model): they come from a volume or from the hub at start.
# An exact patch version on a named Debian; whoever can reach the registry adds the digest (docs/deploy.md says how).
ARG PYTHON_IMAGE=python:3.11.15-slim-bookworm
FROM ${PYTHON_IMAGE}

ARG DEVICE=
ARG TORCH_INDEX=
# Further libraries, by their locks: "keras" for KerasHub presets, "gcs" for gs:// addresses, or both.
ARG EXTRAS=

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    WHENCE_DEVICE=${DEVICE} \
    WHENCE_DATA_DIR=/data \
    HF_HOME=/data/hub \
    WHENCE_ROLE=app \
    HOST=0.0.0.0 \
    PORT=8080

RUN useradd --create-home --uid 1000 whence \
    && install -d -o whence -g whence /data

WORKDIR /app
COPY requirements.txt requirements.lock requirements-postgres.lock requirements-sbom.lock \
    requirements-keras.lock requirements-gcs.lock pyproject.toml ./
COPY tools/install.sh tools/
COPY deploy/install.sh deploy/sbom.sh deploy/
RUN sh deploy/install.sh python "${TORCH_INDEX}" "${EXTRAS}" \
    && sh deploy/sbom.sh python sbom.cdx.json
COPY . .
RUN sh deploy/verify.sh python

USER 1000
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s CMD ["python", "deploy/health.py"]
CMD ["sh", "deploy/run.sh"]
