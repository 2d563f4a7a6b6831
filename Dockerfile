# docker build -t akeneo-media . && docker run --rm --env-file .env -v "$PWD:/media" akeneo-media upload spring.csv
FROM python:3.13.1-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY akeneo_media_cli ./akeneo_media_cli
RUN python -m venv /opt/akeneo-media \
 && /opt/akeneo-media/bin/pip install --no-cache-dir '.[report,xlsx]'

FROM python:3.13.1-slim-bookworm
RUN useradd --uid 10001 --create-home media
COPY --from=build /opt/akeneo-media /opt/akeneo-media
ENV PATH=/opt/akeneo-media/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    XDG_STATE_HOME=/state
RUN mkdir /state && chown media /state
VOLUME /state
USER 10001
WORKDIR /media
ENTRYPOINT ["akeneo-media"]
CMD ["--help"]
